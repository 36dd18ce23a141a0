"""Whether a file is the PDF that it claims to be, told by its content and by its name."""

MOST_BYTES = 20 * 1024 * 1024
"""Of one attachment."""
MOST_ATTACHMENTS = 20
"""Of one application."""
PIECE_BYTES = 512 * 1024
TAIL_BYTES = 1024

_HEADS = tuple(
    f"%PDF-{version}".encode() for version in ("1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "2.0")
)


def looks_like_pdf(head: bytes, tail: bytes) -> bool:
    """`head`: the first bytes of the file; `tail`: its last 1024. A PDF begins with its version at the very first byte
    (so that nothing else can stand before it) and ends with its end mark."""
    return head.startswith(_HEADS) and b"%%EOF" in tail[-TAIL_BYTES:]
