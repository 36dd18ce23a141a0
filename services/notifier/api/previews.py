"""Every mail with sample facts, as people will read it, in a page for a browser."""

import html

from aiohttp import web

from chassis.http import PUBLIC, Routes
from notifier.mails.catalogue import CATALOGUE, preview

routes = Routes(tag="previews")


@routes.get("/previews", needs=PUBLIC)
async def show_previews() -> web.Response:
    """Public, so that an operator can open it in a browser: samples say nothing about anybody."""
    return web.Response(text=_page(), content_type="text/html")


def _page() -> str:
    parts = ["<!DOCTYPE html><html lang=ja><meta charset=utf-8><title>メールの見本</title><h1>メールの見本</h1>"]
    for template in CATALOGUE:
        text = preview(template)
        parts.append(f"<h2 id={html.escape(template)}>{html.escape(text.subject)}</h2><p>{html.escape(template)}</p>")
        parts.append(f"<pre>{html.escape(text.body)}</pre>")
    return "".join(parts)
