"""The laws of the house hold, and each would notice if it were broken."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.laws import laws

ROOT = Path(__file__).parents[2]

BROKEN = {
    laws.foreign_imports: ("services/identity/api/x.py", '"""X."""\nfrom audit.store import rows\n'),
    laws.crossed_rooms: ("services/identity/rules/x.py", '"""X."""\nfrom identity.store import users\n'),
    laws.sql_outside_store: ("services/identity/api/x.py", '"""X."""\nQUERY = "select name from users"\n'),
    laws.waiting_rules: ("services/identity/rules/x.py", '"""X."""\nasync def decide() -> None:\n    """Decide."""\n'),
    laws.unguarded_routes: (
        "services/identity/api/x.py",
        '"""X."""\n@routes.get("/x")\nasync def x() -> None:\n    """X."""\n',
    ),
    laws.gateway_calls: ("services/audit/api/x.py", '"""X."""\nimport aiohttp\nsession = aiohttp.ClientSession()\n'),
    laws.rooms_without_names: ("services/audit/utils.py", '"""X."""\n'),
    laws.business_in_chassis: ("shared/chassis/x.py", '"""Knows what a policyholder is."""\n'),
    laws.files_without_first_line: ("services/audit/api/x.py", "import os\n"),
    laws.granted_rights: ("services/audit/migrations/0001_x.sql", "-- X.\ngrant select on rows to identity;\n"),
}


@pytest.mark.parametrize("law", laws.LAWS, ids=lambda law: law.__name__)
def test_the_house_keeps_the_law(law: Callable[[Path], list[str]]) -> None:
    assert law(ROOT) == []


@pytest.mark.parametrize("law", laws.LAWS, ids=lambda law: law.__name__)
def test_the_law_notices_a_violation(law: Callable[[Path], list[str]], tmp_path: Path) -> None:
    place, text = BROKEN[law]
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    (tmp_path / "services").mkdir(exist_ok=True)
    (tmp_path / "shared" / "chassis").mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    assert len(law(tmp_path)) == 1
