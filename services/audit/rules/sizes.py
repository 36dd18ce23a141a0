"""How long a row's line in a download will be, known when the row is recorded (ruling H5)."""

from audit.rules import files

LINE_OVERHEAD = 19 + 5 + 2
"""YYYY/MM/DD HH:MM:SS, five commas, CR LF."""
TRAIL_OVERHEAD = 19 + 8 + 2
ADVISED_BYTES = 5 * 1024 * 1024
"""Above this the administrator is advised to narrow the conditions (R252)."""


def measure(overhead: int, *cells: str) -> tuple[int, int]:
    """Bytes of a line with these cells in UTF-8, and twice those in Windows-31J less those in UTF-8 (for mostly
    full-width text that is about its letters): quotes doubled, and what else stands in the line."""
    text = "".join(cells)
    more = text.count('"') + overhead
    bytes_ = len(text.encode())
    return bytes_ + more, 2 * files.windows_31j_bytes(text) - bytes_ + more


def estimate(encoding: str, bytes_: int, letters: int) -> int:
    """Bytes of a file: both sums are kept by day, see `measure`."""
    return bytes_ if encoding == "utf-8" else (bytes_ + letters + 1) // 2


def advice(bytes_: int) -> str | None:
    """The sentence shown when the file will be large, else None."""
    if bytes_ <= ADVISED_BYTES:
        return None
    return (
        "想定ファイルサイズが5MBを超えるため、ダウンロードに時間がかかることがあります。"
        "検索条件を変更し、データを絞り込むことを推奨します。"
    )
