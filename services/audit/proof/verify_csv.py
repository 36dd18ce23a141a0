"""Compares a downloaded file with its signed manifest."""

import csv
import hashlib
import io
from collections.abc import Sequence
from typing import Any

from audit.proof.checkpoints import problems
from audit.proof.keys import signed_by
from audit.rules.files import HEADERS


def findings(file: bytes, manifest: dict[str, Any], keys: dict[str, Any], checkpoints: Sequence[Any] = ()) -> list[str]:
    """What does not agree between file, manifest, key and checkpoints, in sentences."""
    key = keys.get(str(manifest.get("key_id")))
    if key is None:
        return ["the manifest was signed with another key"]
    if not signed_by(key, manifest):
        return ["the manifest's signature is wrong"]
    found = []
    if hashlib.sha256(file).hexdigest() != manifest["sha256"]:
        found.append("the file is not the one that was delivered")
    found += _read(file, manifest)
    found += problems(checkpoints, keys)
    heads = {one.head.hex() for one in checkpoints if one.rows == manifest["log_rows"]}
    if heads and manifest["log_head"] not in heads:
        found.append(f"the log that was signed at row {manifest['log_rows']} is not the one the file was taken from")
    return found


def _read(file: bytes, manifest: dict[str, Any]) -> list[str]:
    text = file.decode("utf-8-sig" if manifest["encoding"] == "utf-8" else "cp932", "replace")
    usual = csv.field_size_limit(len(text))  # a row's details may be longer than Python expects; it is for all readers
    try:
        records = list(csv.reader(io.StringIO(text, newline="")))
    finally:
        csv.field_size_limit(usual)
    found = []
    if not records or tuple(records[0]) != HEADERS.get((manifest["view"], manifest["form"])):
        found.append("the header row is not the one of this form")
    if len(records) - 1 != manifest["records"]:
        found.append(f"the manifest says {manifest['records']} records; the file has {len(records) - 1}")
    return found
