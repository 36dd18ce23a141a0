"""What was applied for is proven by the access history, but it can be read there by nobody (P7, H2)."""

import hashlib
import json
import re
import secrets
from typing import Any

import aiohttp
import pytest

from tests.applications.everybody import Everybody
from tests.applications.fronts import ACCOUNT
from tests.support import callers
from tests.support.eventually import eventually


@pytest.mark.requirement("P7", "H2")
async def test_a_bank_account_can_be_read_neither_in_the_history_nor_by_operators(
    house: Everybody, urls: list[str], client: aiohttp.ClientSession
) -> None:
    code = await house.administrator()
    front, _ = house.fronts(client, urls, code)
    digits = f"{secrets.randbelow(10**7):07d}"
    wish = ACCOUNT | {"account_number": digits, "holder": "秘密名義", "holder_kana": "ヒミツメイギ"}
    draft = await front.draft("account_registration", wish)
    await front.submit(draft)
    await eventually(lambda: house.recorded([draft["number"]]))
    audit = await house.platform.start("audit")

    async def shown(path: str, caller: Any, **query: str) -> str:
        async with client.get(f"{audit.url}{path}", params=query, headers=house.platform.headers(caller)) as answer:
            assert answer.status == 200
            return await answer.text()

    async with house.platform.owner("audit") as database:
        rows = await database.fetch(
            "select history::text as line, details from history where policyholder_code = $1", code
        )
    places = {
        "history": "\n".join(row["line"] for row in rows),
        "security-events": await shown("/security-events", callers.operator(), after="0"),
        "security-trail": await shown("/security-trail", front.caller),
    }
    for name, text in places.items():
        assert draft["number"] in text, name
        # Seven digits are met by chance inside times, codes and hashes; such a hit says nothing.
        for secret in (rf"(?<![0-9A-Za-z.]){digits}(?![0-9A-Za-z.])", "秘密名義", "ヒミツメイギ"):
            assert not re.search(secret, text), name
    sent = json.dumps(wish, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    kept = {"sha256": hashlib.sha256(sent).hexdigest(), "bytes": len(sent)}
    assert kept in [row["details"].get("content") for row in rows]
