"""Files behind one small interface: begin, add pieces, seal, read pieces. They live in this service's database."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from chassis.messages import new_id
from chassis.sql import Database, Reader, Tx

UNFINISHED_KEPT = timedelta(days=1)


async def begin(writer: Database | Tx, title: str) -> UUID:
    """A new document that nobody sees yet."""
    document_id = new_id()
    await writer.execute("insert into documents (id, title, begun_at) values ($1, $2, now())", document_id, title)
    return document_id


async def add_piece(writer: Database | Tx, document_id: UUID, place: int, data: bytes) -> None:
    """The next piece, numbered from 0."""
    await writer.execute(
        "insert into document_pieces (document_id, place, data) values ($1, $2, $3)", document_id, place, data
    )


async def seal(tx: Tx, document_id: UUID, size: int, sha256: bytes) -> None:
    """All pieces have come and the content was checked."""
    await tx.execute("update documents set size = $2, sha256 = $3 where id = $1", document_id, size, sha256)


async def discard(writer: Database | Tx, document_id: UUID) -> None:
    """Remove the document with its pieces."""
    await writer.execute("delete from documents where id = $1", document_id)


async def about(reader: Reader, document_id: UUID) -> Any:
    """Id, title, size (bytes) and sha256 of a sealed document, or None."""
    return await reader.fetchrow(
        "select id, title, size, sha256 from documents where id = $1 and size is not null", document_id
    )


async def pieces(database: Database, document_id: UUID) -> AsyncIterator[bytes]:
    """The content, piece by piece; no connection is held while the receiver takes its time."""
    place = 0
    while (
        data := await database.fetchval(
            "select data from document_pieces where document_id = $1 and place = $2", document_id, place
        )
    ) is not None:
        yield data
        place += 1


async def forget_unfinished(database: Database) -> None:
    """What began to arrive more than a day ago and never came whole."""
    await database.execute(
        "delete from documents where size is null and begun_at < now() - $1::interval", UNFINISHED_KEPT
    )


async def attach(tx: Tx, number: str, document_id: UUID) -> None:
    """Let the document belong to an application."""
    await tx.execute("insert into attachments (number, document_id) values ($1, $2)", number, document_id)


async def detach(tx: Tx, number: str, document_id: UUID) -> bool:
    """Take the document from the application and remove it; False when it does not belong to it."""
    if not await tx.execute("delete from attachments where number = $1 and document_id = $2", number, document_id):
        return False
    await discard(tx, document_id)
    return True


async def attached(reader: Reader, number: str) -> list[Any]:
    """Id, title, size and sha256 of the application's attachments, in the order in which they came."""
    return await reader.fetch(
        """
        select id, title, size, sha256 from documents join attachments on document_id = id
         where number = $1 order by begun_at, id
        """,
        number,
    )
