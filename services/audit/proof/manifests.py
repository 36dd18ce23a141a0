"""The signed statement that lies beside a downloaded file (rows, period, digest, where in the chain it was taken)."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from audit.proof.keys import Signer
from audit.rules import files

KIND: Final = "audit-manifest-1"


class Manifest(BaseModel):
    """Everything is under the signature; texts, so that the signed bytes do not depend on anybody's JSON writer."""

    model_config = ConfigDict(frozen=True)
    kind: Literal["audit-manifest-1"] = KIND
    file_name: str
    view: str
    form: str
    encoding: str
    policyholder_code: str
    user_id: str | None = Field(description="null: （全ユーザー指定）")
    first_day: date
    last_day: date
    asked_at: str
    made_at: str
    records: int
    log_rows: int = Field(description="how many rows the whole log had when the search was made")
    log_head: str = Field(description="head of the chain over exactly these rows, hexadecimal")
    sha256: str = Field(description="of the file's bytes, hexadecimal")
    key_id: str
    signature: str = Field(description="Ed25519 over the canonical JSON of all other members, base64")


def sign(signer: Signer, search: Any, sha256: str, head: bytes) -> Manifest:
    """The statement about the file of a search."""
    said = {
        "kind": KIND,
        "file_name": files.name(search["view"], search["first_day"], search["last_day"])[1],
        "view": search["view"],
        "form": search["form"],
        "encoding": search["encoding"],
        "policyholder_code": search["policyholder_code"],
        "user_id": search["target_user_id"],
        "first_day": search["first_day"].isoformat(),
        "last_day": search["last_day"].isoformat(),
        "asked_at": search["asked_at"].astimezone(UTC).isoformat(),
        "made_at": datetime.now(UTC).isoformat(),
        "records": search["records"],
        "log_rows": search["up_to"],
        "log_head": head.hex(),
        "sha256": sha256,
    }
    return Manifest.model_validate(signer.sign(said))


def read_manifest(path: Path) -> dict[str, Any]:
    """The statement that lies beside a file, whoever signed it. Raises ValueError, OSError."""
    said = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(said, dict) or said.get("kind") != KIND:  # a checkpoint has the same key's signature
        raise ValueError(f"{path} is not a manifest")
    return said
