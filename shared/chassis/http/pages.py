"""The readable page at /docs: the OpenAPI document as plain HTML, no script, one small style sheet."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

_HERE = Path(__file__).parent
_STYLE = (_HERE / "reference.css").read_text(encoding="utf-8")


def reference(name: str, document: dict[str, Any]) -> tuple[str, str]:
    """The page and the only Content-Security-Policy under which it is meant to be shown."""
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["pretty"] = lambda value: json.dumps(value, ensure_ascii=False, indent=2)
    environment.filters["shape"] = _shape
    template = environment.from_string((_HERE / "reference.html").read_text(encoding="utf-8"))
    page = template.render(name=name, document=document, style=Markup(_STYLE), operations=_operations(document))  # noqa: S704 - our own file
    fingerprint = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    return page, f"default-src 'none'; style-src 'sha256-{fingerprint}'; base-uri 'none'; frame-ancestors 'none'"


def _operations(document: dict[str, Any]) -> dict[str, list[tuple[str, str, dict[str, Any]]]]:
    by_tag: dict[str, list[tuple[str, str, dict[str, Any]]]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            by_tag[operation["tags"][0]].append((method.upper(), path, operation))
    return by_tag


def _shape(schema: dict[str, Any]) -> Markup:
    """A schema in a few words, linked to the shapes it names: `Account[]`, `string ≤ 50`."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return Markup('<a href="#shape-{0}">{0}</a>').format(name)
    if "anyOf" in schema or "oneOf" in schema:
        return Markup(" | ").join(_shape(one) for one in schema.get("anyOf") or schema["oneOf"])
    if schema.get("type") == "array":
        return Markup("{}[]").format(_shape(schema.get("items", {})))
    if "const" in schema or "enum" in schema:
        values = schema.get("enum", [schema.get("const")])
        return Markup.escape(" | ".join(json.dumps(one, ensure_ascii=False) for one in values))
    words = [str(schema.get("type", "any"))]
    words += [f"({schema['format']})"] if "format" in schema else []
    words += [f"{sign} {schema[key]}" for key, sign in _SIGNS.items() if key in schema]
    return Markup.escape(" ".join(words))


_SIGNS = {"minLength": "≥", "maxLength": "≤", "minimum": "≥", "maximum": "≤", "pattern": "~"}
