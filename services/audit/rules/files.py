"""The bytes of a CSV file: its header, its line ends, its encoding, its name."""

import codecs
from datetime import date

CHARSETS = {"utf-8": "utf-8", "windows-31j": "windows-31j"}
HEADERS = {
    ("history", "by_user"): ("WebユーザーID", "アクセス日時", "操作内容", "氏名", "所属名", "役職名"),
    ("history", "by_time"): ("アクセス日時", "WebユーザーID", "操作内容", "氏名", "所属名", "役職名"),
    ("trail", "by_user"): (
        "WebユーザーID", "アクセス日時", "操作内容", "結果", "氏名", "所属名", "役職名", "接続元", "詳細",
    ),
    ("trail", "by_time"): (
        "アクセス日時", "WebユーザーID", "操作内容", "結果", "氏名", "所属名", "役職名", "接続元", "詳細",
    ),
}  # fmt: skip
"""R308, R310; the trail's columns are ours."""

MISSING = "〓"
"""Stands for a letter that Windows-31J does not have; the geta mark, as Japanese printers always did."""

_SAME_SHAPE = str.maketrans(
    {"〜": "～", "−": "－", "—": "―", "‖": "∥", "¢": "￠", "£": "￡", "¬": "￢", "\u00a0": " ", "¥": "\\", "‾": "~"}
)
"""Letters that Unicode has twice and Windows-31J once."""


def _geta(error: UnicodeError) -> tuple[str | bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    return MISSING * (error.end - error.start), error.end


codecs.register_error("audit.geta", _geta)


class Writer:
    """Turns PostgreSQL's CSV (UTF-8, LF) into the file's bytes, piece by piece, wherever the pieces are cut."""

    def __init__(self, encoding: str) -> None:
        self._decoder = None if encoding == "utf-8" else codecs.getincrementaldecoder("utf-8")()
        self._quoted = False

    def head(self, view: str, form: str) -> bytes:
        """Byte order mark (UTF-8 only) and the names of the columns."""
        text = ",".join(HEADERS[view, form]) + "\r\n"
        return text.encode("utf-8-sig") if self._decoder is None else self._encode(text)

    def write(self, piece: bytes) -> bytes:
        """The next bytes of the file; line ends inside quotes are somebody's text and stay."""
        return self._convert(self._lines(piece))

    def _lines(self, piece: bytes) -> bytes:
        if b'"' not in piece:
            return piece if self._quoted else piece.replace(b"\n", b"\r\n")
        parts = piece.split(b'"')
        for place in range(1 if self._quoted else 0, len(parts), 2):
            parts[place] = parts[place].replace(b"\n", b"\r\n")
        self._quoted ^= (len(parts) - 1) % 2 == 1
        return b'"'.join(parts)

    def _convert(self, piece: bytes) -> bytes:
        return piece if self._decoder is None else self._encode(self._decoder.decode(piece))

    def _encode(self, text: str) -> bytes:
        return text.translate(_SAME_SHAPE).encode("cp932", "audit.geta")


def windows_31j_bytes(text: str) -> int:
    """Length in Windows-31J: one byte for ASCII and half-width kana, two for everything else."""
    return len(text) if text.isascii() else len(text.encode("cp932", "audit.geta"))


def head_bytes(encoding: str, view: str, form: str) -> int:
    """Length of the header row with its byte order mark."""
    return len(Writer(encoding).head(view, form))


def name(view: str, first_day: date, last_day: date) -> tuple[str, str]:
    """The file's name: for all systems, and in Japanese."""
    period = f"{first_day:%Y%m%d}-{last_day:%Y%m%d}.csv"
    known = {"history": ("access-history", "アクセス履歴"), "trail": ("security-trail", "セキュリティ証跡")}
    plain, japanese = known[view]
    return f"{plain}-{period}", f"{japanese}-{period}"
