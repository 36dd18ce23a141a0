"""Sending a stored document, and taking one in: piece by piece, never whole in memory."""

import hashlib
import unicodedata
from base64 import b64encode
from typing import Any
from urllib.parse import quote
from uuid import UUID

from aiohttp import hdrs, web

from applications.rules.documents import MOST_BYTES, PIECE_BYTES, TAIL_BYTES, looks_like_pdf
from applications.store import documents
from chassis.http import Problem, UnsupportedMediaType, receive
from chassis.sql import Database

PDF = "application/pdf"


class NotPdf(Problem):
    """The content is not a PDF."""

    status = 422
    detail = "PDFファイルではありません。PDF形式のファイルを指定してください。"


async def send(request: web.Request, database: Database, row: Any, name: str) -> web.StreamResponse:
    """Answer with the document under this file name; a transfer that breaks never looks whole."""
    plain = "".join(letter if (letter.isascii() and letter.isalnum()) or letter in "-_." else "_" for letter in name)
    response = web.StreamResponse()
    response.content_type = PDF
    response.content_length = row["size"]
    response.headers[hdrs.CONTENT_DISPOSITION] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"
    response.headers["Repr-Digest"] = f"sha-256=:{b64encode(row['sha256']).decode()}:"
    await response.prepare(request)
    async for piece in documents.pieces(database, row["id"]):
        await response.write(piece)
    await response.write_eof()
    return response


async def take(request: web.Request, database: Database, title: str, seconds: float) -> tuple[UUID, int, bytes]:
    """Store the request's body as a document that nobody sees yet; answers its id, size and sha256.

    Raises UnsupportedMediaType, NotPdf when the content is something else than a PDF, BodyTooLarge, BodyTooSlow.
    """
    if request.content_type != PDF or hdrs.CONTENT_ENCODING in request.headers:
        raise UnsupportedMediaType
    document_id = await documents.begin(database, title)
    try:
        size, sha256 = await _store(request, database, document_id, seconds)
    except BaseException:
        await documents.discard(database, document_id)
        raise
    return document_id, size, sha256


async def _store(request: web.Request, database: Database, document_id: UUID, seconds: float) -> tuple[int, bytes]:
    digest, size, place, head, tail = hashlib.sha256(), 0, 0, b"", b""
    waiting = bytearray()
    async for chunk in receive(request, limit=MOST_BYTES, seconds=seconds):
        digest.update(chunk)
        size += len(chunk)
        head = (head + chunk[:16])[:16]
        tail = (tail + chunk)[-TAIL_BYTES:]
        waiting += chunk
        while len(waiting) >= PIECE_BYTES:
            await documents.add_piece(database, document_id, place, bytes(waiting[:PIECE_BYTES]))
            del waiting[:PIECE_BYTES]
            place += 1
    if waiting:
        await documents.add_piece(database, document_id, place, bytes(waiting))
    if not looks_like_pdf(head, tail):
        raise NotPdf
    return size, digest.digest()


def sane_name(name: str) -> bool:
    """A file name that hides nothing: ends in .pdf, no path, no control or invisible characters."""
    hidden = any(unicodedata.category(letter)[0] == "C" or letter in '/\\:*?"<>|' for letter in name)
    return name.lower().endswith(".pdf") and name.strip() == name and not name.startswith(".") and not hidden
