"""Style sheets and the little script, read once, under addresses that change with their content."""

import hashlib
from pathlib import Path
from typing import Final

from aiohttp import web

FOLDER: Final = Path(__file__).parent / "static"
TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
HEADERS: Final = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Server": "portal",
}


class Assets:
    """All files of `static/`."""

    def __init__(self) -> None:
        self._files = {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.suffix in TYPES}

    def url(self, name: str) -> str:
        """Where the file is, for templates."""
        return f"/static/{hashlib.sha256(self._files[name]).hexdigest()[:12]}/{name}"

    async def serve(self, request: web.Request) -> web.Response:
        """The file; also under the address of another version, so that an open page keeps working.

        What that version has there is for its own process to say: a browser must not keep ours in its place.
        """
        name = request.match_info["name"]
        if name not in self._files:
            raise web.HTTPNotFound
        headers = HEADERS if request.path == self.url(name) else HEADERS | {"Cache-Control": "no-store"}
        kind = TYPES[Path(name).suffix]
        return web.Response(body=self._files[name], content_type=kind, charset="utf-8", headers=headers)
