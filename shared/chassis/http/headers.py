"""The headers that every answer carries, ready to copy."""

from typing import Final

from multidict import CIMultiDict, istr

ALWAYS: Final = CIMultiDict(
    {
        istr("X-Content-Type-Options"): "nosniff",
        istr("Cache-Control"): "no-store",
        istr("Content-Security-Policy"): "default-src 'none'; frame-ancestors 'none'",
        istr("Referrer-Policy"): "no-referrer",
        istr("Server"): "chassis",
    }
)
PROBLEM: Final = CIMultiDict({**ALWAYS, istr("Content-Type"): "application/problem+json"})
JSON: Final = CIMultiDict({**ALWAYS, istr("Content-Type"): "application/json"})
