"""The laws of the house, as functions from a source tree to its violations."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

SERVICES = frozenset({"identity", "accounts", "applications", "notifier", "audit", "portal"})
FORBIDDEN_NAMES = frozenset({"utils", "common", "helpers", "managers", "base"})
BUSINESS = re.compile(
    r"policyholder(?!:)|applicant|insur|\brider|bank|nexi_?web|web_?user|one_?time_?password|access_history",
    re.IGNORECASE,
)
SQL = re.compile(r"^\s*(select|insert\s+into|update|delete\s+from|with|copy|truncate|lock\s+table)\s", re.IGNORECASE)
CLOCKS = frozenset({"time", "random", "secrets", "asyncio", "asyncpg", "aiohttp", "aio_pika"})
ROUTE_METHODS = frozenset({"get", "post", "put", "patch", "delete"})


def modules(root: Path) -> Iterator[tuple[Path, ast.Module]]:
    """Every Python file of the services and the shared packages, parsed."""
    for top in ("services", "shared"):
        for path in sorted((root / top).rglob("*.py")):
            yield path.relative_to(root), ast.parse(path.read_text(encoding="utf-8"))


def imported(module: ast.Module) -> Iterator[str]:
    """The dotted names a module imports."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def owner(path: Path) -> str:
    """`identity`, `chassis`, … : the package a file belongs to."""
    return path.parts[1]


def room(path: Path) -> str:
    """`api`, `rules`, `store`, … : the room of a service that a file belongs to."""
    return path.parts[2].removesuffix(".py") if len(path.parts) > 2 else ""


def foreign_imports(root: Path) -> list[str]:
    """Services know chassis, contracts and themselves; contracts knows chassis; chassis knows neither (laws 1, 4)."""
    allowed = {"chassis": {"chassis"}, "contracts": {"chassis", "contracts"}}
    known = SERVICES | {"chassis", "contracts"}
    found = []
    for path, module in modules(root):
        may = allowed.get(owner(path), {owner(path), "chassis", "contracts"})
        tops = {name.partition(".")[0] for name in imported(module)} & known
        found += [f"{path}: imports {top}" for top in sorted(tops - may)]
    return found


def crossed_rooms(root: Path) -> list[str]:
    """api and listeners use rules and store; store uses rules; rules use nobody (the five rooms)."""
    forbidden = {
        "rules": {"api", "listeners", "store", "service"},
        "store": {"api", "listeners", "service"},
        "api": {"listeners", "service"},
        "listeners": {"api", "service"},
    }
    found = []
    for path, module in modules(root):
        if owner(path) not in SERVICES:
            continue
        for name in imported(module):
            parts = name.split(".")
            if parts[0] == owner(path) and len(parts) > 1 and parts[1] in forbidden.get(room(path), ()):
                found.append(f"{path}: {room(path)} imports {name}")
    return found


def sql_outside_store(root: Path) -> list[str]:
    """Only `store` holds SQL; the chassis keeps its own tables in sql, amqp and housekeeping."""
    found = []
    for path, module in modules(root):
        if room(path) == "store" or owner(path) == "chassis":
            continue
        found += [
            f"{path}:{node.lineno}: SQL"
            for node in ast.walk(module)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value)
            and " " in node.value.strip() and _looks_like_sql(node.value)
        ]  # fmt: skip
    return found


def _looks_like_sql(text: str) -> bool:
    return bool(re.search(r"\b(from|into|set|values|as)\b", text.lower())) and not text.rstrip().endswith(".")


def waiting_rules(root: Path) -> list[str]:
    """`rules` decide at once: no await, no clock, no chance, no database."""
    found = []
    for path, module in modules(root):
        if owner(path) not in SERVICES or room(path) != "rules":
            continue
        for node in ast.walk(module):
            if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
                found.append(f"{path}:{node.lineno}: waits")
            elif isinstance(node, ast.Call) and ast.unparse(node.func) in {"datetime.now", "date.today", "time.time"}:
                found.append(f"{path}:{node.lineno}: looks at the clock")
        found += [f"{path}: imports {name}" for name in imported(module) if name.partition(".")[0] in CLOCKS]
    return found


def unguarded_routes(root: Path) -> list[str]:
    """Every route says who may (law 5). (The decorator refuses at import too; this finds it before.)"""
    found = []
    for path, module in modules(root):
        for node in ast.walk(module):
            if not isinstance(node, ast.AsyncFunctionDef):
                continue
            for call in node.decorator_list:
                if (
                    isinstance(call, ast.Call)
                    and isinstance(call.func, ast.Attribute)
                    and call.func.attr in ROUTE_METHODS
                    and "needs" not in {keyword.arg for keyword in call.keywords}
                ):
                    found.append(f"{path}:{node.lineno}: {node.name} does not say who may")
    return found


def gateway_calls(root: Path) -> list[str]:
    """No service calls another's gateway; fetching identity's keys (chassis.tokens) is the one exception (law 1).

    An operator's `declare` speaks to the broker."""
    return [
        f"{path}: makes HTTP requests"
        for path, module in modules(root)
        if owner(path) != "portal"
        and str(path) not in ("shared/chassis/tokens.py", "shared/chassis/amqp/declaration.py")
        and any(
            isinstance(node, ast.Attribute | ast.Name) and ast.unparse(node).endswith("ClientSession")
            for node in ast.walk(module)
        )
    ]


def rooms_without_names(root: Path) -> list[str]:
    """No `utils`, `common`, `helpers`, `managers`, `base` (law 4)."""
    return [
        f"{path}: no such room"
        for top in ("services", "shared")
        for path in sorted(p.relative_to(root) for p in (root / top).rglob("*"))
        if path.name.removesuffix(".py") in FORBIDDEN_NAMES and "__pycache__" not in path.parts
    ]


def business_in_chassis(root: Path) -> list[str]:
    """The chassis does not know one word of the business (law 4)."""
    found = []
    for path in sorted((root / "shared" / "chassis").rglob("*")):
        if path.suffix not in {".py", ".sql", ".html"}:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if BUSINESS.search(line):
                found.append(f"{path.relative_to(root)}:{number}: {line.strip()}")
    return found


def files_without_first_line(root: Path) -> list[str]:
    """The first line of every file says in one sentence what the file is (style 1)."""
    found = []
    for top in ("services", "shared", "deploy", "bench", "tests"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix not in {".py", ".sql", ".sh"} or "__pycache__" in path.parts or ".local" in path.parts:
                continue
            lines = path.read_text(encoding="utf-8").splitlines()
            first = lines[1] if lines and lines[0].startswith("#!") else (lines or [""])[0]
            if not re.match(r'("""|#|--)\s*\S.*', first):
                found.append(f"{path.relative_to(root)}: says nothing about itself")
    return found


def granted_rights(root: Path) -> list[str]:
    """Migrations give rights to their own service only (law 2)."""
    found = []
    for path in sorted((root / "services").glob("*/migrations/*.sql")):
        service = path.parts[-3]
        text = re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8"))
        for roles in re.findall(r"\bgrant\b[^;]*?\bto\b\s+([^;]+);", text, re.IGNORECASE):
            if roles.strip() != service:
                found.append(f"{path.relative_to(root)}: grants to {roles.strip()}")
    return found


LAWS = (
    foreign_imports,
    crossed_rooms,
    sql_outside_store,
    waiting_rules,
    unguarded_routes,
    gateway_calls,
    rooms_without_names,
    business_in_chassis,
    files_without_first_line,
    granted_rights,
)
