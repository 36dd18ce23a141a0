"""The sheet with an administrator's initial password: A4, folded in three, its address behind a window envelope."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from notifier.letters.fonts import cut_down

JAPAN = ZoneInfo("Asia/Tokyo")
FONT = "Letter"
WIDTH, HEIGHT = A4
WINDOW_LEFT, WINDOW_TOP, WINDOW_WIDTH = 22 * mm, 20 * mm, 84 * mm
LEFT, RIGHT = 25 * mm, WIDTH - 25 * mm
_drawing = threading.Lock()  # reportlab's fonts are registered by name for the whole process

TITLE = "NEXI Webサービス　Webユーザー（管理者）初期パスワードのお知らせ"
OPENING = (
    "このたびは、NEXI Webサービスにお申し込みいただき、ありがとうございます。",
    "Webユーザー（管理者）の登録が完了しました。WebユーザーIDと初期パスワードをお知らせします。",
)
NOTES = (
    "・ 初期パスワードは、初回ログイン時にのみ使用できます。",
    "・ ログイン後に、新しいパスワードへ変更してください。",
    "・ 初期パスワードには有効期限があります。お早めにログインしてください。",
    "・ この書面は、第三者の目に触れないよう管理し、ログイン後は破棄してください。",
    "・ 封筒が開封されていた場合は、ログインせずにNEXIまでご連絡ください。",
)
NEVER_FIRST = "ーぁぃぅぇぉっゃゅょァィゥェォッャュョヵヶ々、。，．・）」』"
SENDER = ("株式会社日本貿易保険（NEXI）", "NEXI Webサービス")


@dataclass(frozen=True)
class Letter:
    """What stands in one letter."""

    postal_code: str
    address: str
    company: str
    addressee: str
    user_id: str
    password: str = field(repr=False)
    written_at: datetime


def draw(letter: Letter) -> bytes:
    """The sheet as a PDF. Its properties say nothing about whom it is for."""
    lines = list(_address(letter))
    date = f"{letter.written_at.astimezone(JAPAN):%Y年%m月%d日}"
    items = (("WebユーザーID（管理者用）", letter.user_id), ("初期パスワード", letter.password))
    texts = (*lines, date, TITLE, *OPENING, *NOTES, *SENDER, *(text for item in items for text in item))
    font = cut_down(set("".join(texts)) | {" "})
    with _drawing, _registered(TTFont(FONT, io.BytesIO(font))):
        whole = io.BytesIO()
        canvas = Canvas(whole, pagesize=A4, invariant=True)
        canvas.setTitle("Letter")
        _draw_address(canvas, lines, date)
        _draw_text(canvas, items)
        canvas.showPage()
        canvas.save()
        return whole.getvalue()


@contextmanager
def _registered(font: TTFont) -> Iterator[None]:
    """Registered while inside. reportlab keeps the first font of a name, with the letters of that sheet only."""
    registry: Any = pdfmetrics
    registry.registerFont(font)
    try:
        yield
    finally:
        registry._fonts.pop(FONT)
        registry._dynFaceNames.pop(font.face.name)


def _address(letter: Letter) -> Iterator[str]:
    yield f"〒{letter.postal_code}"
    for text in (letter.address, letter.company, f"{letter.addressee}　様"):
        yield from _folded(text, int(WINDOW_WIDTH / 10))  # letters of 10 points each
        yield ""


def _folded(text: str, longest: int) -> Iterator[str]:
    """Lines that end at a blank, or where the next would not begin with a letter that must not begin one (禁則)."""
    while len(text) > longest:
        end = text.rfind("　", longest // 2, longest + 1)
        if end < 0:
            end = longest
            while end > longest // 2 and text[end] in NEVER_FIRST:
                end -= 1
        yield text[:end]
        text = text[end:].lstrip("　")
    yield text


def _draw_address(canvas: Canvas, lines: list[str], date: str) -> None:
    canvas.setFont(FONT, 10)
    baseline = HEIGHT - WINDOW_TOP
    for line in lines:
        baseline -= 4.6 * mm if line else 1.8 * mm
        canvas.drawString(WINDOW_LEFT, baseline, line)
    canvas.drawRightString(RIGHT, HEIGHT - 22 * mm, date)
    for place, line in enumerate(SENDER):
        canvas.drawRightString(RIGHT, HEIGHT - (72 + 5 * place) * mm, line)
    canvas.setLineWidth(0.3)
    for fold in (99 * mm, 198 * mm):
        canvas.line(3 * mm, HEIGHT - fold, 8 * mm, HEIGHT - fold)


def _draw_text(canvas: Canvas, items: tuple[tuple[str, str], ...]) -> None:
    canvas.setFont(FONT, 14)
    canvas.drawCentredString(WIDTH / 2, HEIGHT - 112 * mm, TITLE)
    canvas.setFont(FONT, 10)
    for place, line in enumerate(OPENING):
        canvas.drawString(LEFT, HEIGHT - (126 + 7 * place) * mm, line)
    for place, (label, value) in enumerate(items):
        bottom = HEIGHT - (158 + 14 * place) * mm
        canvas.rect(LEFT, bottom, RIGHT - LEFT, 14 * mm)
        canvas.line(LEFT + 60 * mm, bottom, LEFT + 60 * mm, bottom + 14 * mm)
        canvas.setFont(FONT, 10)
        canvas.drawString(LEFT + 4 * mm, bottom + 5.2 * mm, label)
        canvas.setFont(FONT, 16)
        canvas.drawString(LEFT + 66 * mm, bottom + 4.4 * mm, value)
    canvas.setFont(FONT, 10)
    for place, line in enumerate(NOTES):
        canvas.drawString(LEFT, HEIGHT - (186 + 7 * place) * mm, line)
