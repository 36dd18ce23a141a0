"""Ending what somebody could do so far: the version in the database and the word to every process, in one transaction.

After the commit await `Revocations.in_force(event_id)` before answering: only then it is in force everywhere (L9).
"""

from uuid import UUID

from chassis.revocations import Revocation
from chassis.sql import Tx
from contracts.identity import AccessRevoked
from identity.store import companies, sessions, users


async def revoke_user(tx: Tx, policyholder_code: str, user_id: str) -> UUID:
    """Refuse every token of a user from now on (sessions stay: the next token carries the new rights)."""
    version = await users.revoke(tx, user_id)
    return _say(tx, policyholder_code, Revocation(subject=f"user:{user_id}", below=version))


async def revoke_company(tx: Tx, policyholder_code: str) -> UUID:
    """Refuse every token of a company's users from now on (sessions stay)."""
    version = await companies.revoke(tx, policyholder_code)
    return _say(tx, policyholder_code, Revocation(subject=f"policyholder:{policyholder_code}", below=version))


async def end_all(tx: Tx, policyholder_code: str, user_id: str, reason: str) -> tuple[int, UUID]:
    """End all sessions of a user and refuse their tokens; answers how many there were, and the event's id."""
    ended = await sessions.end_all(tx, user_id, reason)
    return len(ended), await revoke_user(tx, policyholder_code, user_id)


def revoke_sessions(tx: Tx, policyholder_code: str, session_ids: list[str]) -> UUID:
    """Refuse the tokens of sessions that were ended."""
    return _say(tx, policyholder_code, *(Revocation(subject=f"session:{one}", below=1) for one in session_ids))


def _say(tx: Tx, policyholder_code: str, *revoked: Revocation) -> UUID:
    return tx.emit(AccessRevoked(policyholder_code=policyholder_code, revoked=revoked))
