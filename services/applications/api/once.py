"""Idempotency-Key: the same request again gets the same answer and changes nothing; another body is refused."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated

from pydantic import BaseModel, Field

from applications.api.refusals import KeyReused
from applications.api.views import ApplicationView
from applications.store import requests
from chassis.http import Header
from chassis.sql import Tx
from contracts.caller import Caller

Key = Annotated[
    str | None,
    Header("Idempotency-Key"),
    Field(min_length=1, max_length=128, pattern="^[!-~]+$", description="chosen by the front end for one request"),
]


async def once(
    tx: Tx, caller: Caller, key: str | None, what: str, body: BaseModel, work: Callable[[], Awaitable[ApplicationView]]
) -> ApplicationView:
    """Do the work unless this key has done it; `what` names door and thing.

    Raises KeyReused for another request; it names what the first one made, so that a front end can go on from there.
    """
    if key is None:
        return await work()
    user_id = caller.operator.user_id
    fingerprint = hashlib.sha256(f"{what}\n{body.model_dump_json()}".encode()).digest()
    if not await requests.claim(tx, user_id, key, fingerprint):
        earlier = await requests.earlier(tx, user_id, key)
        if earlier["fingerprint"] != fingerprint:
            raise KeyReused(number=earlier["answer"]["number"], version=earlier["answer"]["version"])
        return ApplicationView.model_validate(earlier["answer"])
    answer = await work()
    await requests.keep(tx, user_id, key, answer.model_dump(mode="json"))
    return answer
