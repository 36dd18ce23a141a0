"""Idempotency-Key: the same request again gets the same answer and changes nothing; another body is refused."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated

from pydantic import BaseModel, Field

from applications.api.refusals import KeyReused, TooManyKeys
from applications.api.views import ApplicationView
from applications.settings import Settings
from applications.store import requests
from chassis.http import Header
from chassis.sql import Reader, Tx
from contracts.caller import Caller

Key = Annotated[
    str | None,
    Header("Idempotency-Key"),
    Field(min_length=1, max_length=128, pattern="^[!-~]+$", description="chosen by the front end for one request"),
]


async def answered(
    reader: Reader, caller: Caller, key: str | None, what: str, body: BaseModel
) -> ApplicationView | None:
    """What this request was answered when it came first; None for a new one. `what` names door and thing.

    Raises KeyReused for another request; it names what the first one made, so that a front end can go on from there.
    """
    earlier = key and await requests.earlier(reader, caller.operator.user_id, key)
    if not earlier:
        return None
    if earlier["fingerprint"] != _fingerprint(what, body):
        raise KeyReused(number=earlier["answer"]["number"], version=earlier["answer"]["version"])
    return ApplicationView.model_validate(earlier["answer"])


async def once(
    tx: Tx, caller: Caller, settings: Settings, key: str | None, what: str, body: BaseModel,
    work: Callable[[], Awaitable[ApplicationView]],
) -> ApplicationView:  # fmt: skip
    """Do the work unless this key has done it. Raises KeyReused as `answered` does, and TooManyKeys."""
    if key is None:
        return await work()
    user_id = caller.operator.user_id
    if not await requests.claim(tx, user_id, key, _fingerprint(what, body), settings.most_keys):
        earlier = await answered(tx, caller, key, what, body)  # the claim waited for whoever used the key first
        if earlier is None:
            raise TooManyKeys
        return earlier
    answer = await work()
    await requests.keep(tx, user_id, key, answer.model_dump(mode="json"))
    return answer


def _fingerprint(what: str, body: BaseModel) -> bytes:
    return hashlib.sha256(f"{what}\n{body.model_dump_json()}".encode()).digest()
