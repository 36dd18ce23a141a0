"""What an auditor needs from us: the public key and the signed checkpoints."""

import json
from typing import Any

from pydantic import Field

from audit.proof.keys import Signer
from audit.store import checkpoints
from chassis.http import PUBLIC, Body, Routes, View
from chassis.sql import Database
from contracts.caller import Caller
from contracts.permissions import Permission

routes = Routes(tag="proofs")


class After(Body):
    """Where to go on."""

    rows: int = Field(0, ge=0, le=2**63 - 1, description="`rows` of the last checkpoint already known")
    limit: int = Field(1000, ge=1, le=5000)


class PublicKey(View):
    """Compare its id with the one you were given on another way."""

    key_id: str
    pem: str


@routes.get("/proofs/public-key", needs=PUBLIC)
async def show_public_key(signer: Signer) -> PublicKey:
    """The key that checkpoints and manifests are signed with."""
    return PublicKey(key_id=signer.key_id, pem=signer.public_pem)


@routes.get("/proofs/checkpoints", needs=Permission.OPERATE)
async def list_checkpoints(query: After, caller: Caller, database: Database) -> list[dict[str, Any]]:
    """Signed statements about the end of the log; each contains the digest of the one before. They name nobody."""
    rows = await checkpoints.after(database, query.rows, query.limit)
    return [json.loads(row["statement"]) for row in rows]
