"""What travels through the browser and back unread and unchanged: input between screens, tokens of forms."""

import base64
import hashlib
import hmac
import json
import os
import time
import zlib
from collections import Counter, OrderedDict
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

LIFE_SECONDS: Final = 12 * 3600
LONGEST: Final = 3000
"""Letters of a URL that a sealed input may take; what is longer waits on a shelf of this process."""
MOST_SHELVED: Final = 64 * 1024 * 1024
"""Letters on the shelf; the oldest make room."""
MOST_SHELVED_OF_ONE: Final = MOST_SHELVED // 8
"""Of one user, whose oldest make room first: nobody pushes what all others typed off the shelf."""


class Unreadable(Exception):
    """It was made by somebody else, for somebody else, for another screen, or too long ago."""


class Seals:
    """Encrypts input for one user and one screen; makes and checks the tokens of forms."""

    def __init__(self, secret: str) -> None:
        self._box = AESGCM(hashlib.sha256(b"portal input " + secret.encode()).digest())
        self._key = hashlib.sha256(b"portal forms " + secret.encode()).digest()
        self._shelf: OrderedDict[str, tuple[str, str]] = OrderedDict()
        """Whose it is and the letters, by key."""
        self._shelved: Counter[str] = Counter()

    def seal(self, values: Any, whose: str, screen: str) -> str:
        """Letters for a URL that only `unseal` for the same user and screen (a path) can read."""
        text = json.dumps([int(time.time()), values], ensure_ascii=False, separators=(",", ":"))
        nonce = os.urandom(12)
        sealed = nonce + self._box.encrypt(nonce, zlib.compress(text.encode()), _place(whose, screen))
        token = base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()
        return token if len(token) <= LONGEST else self._put_aside(token, whose)

    def unseal(self, token: str, whose: str, screen: str) -> Any:
        """What was sealed. Raises Unreadable."""
        _, token = self._shelf.get(token, ("", token))
        try:
            sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            text = zlib.decompress(self._box.decrypt(sealed[:12], sealed[12:], _place(whose, screen)))
            at, values = json.loads(text)
        except (InvalidTag, ValueError, zlib.error) as error:
            raise Unreadable from error
        if not time.time() - LIFE_SECONDS < at <= time.time() + 60:
            raise Unreadable
        return values

    def form_token(self, visitor: str, whose: str) -> str:
        """What a form of this browser and user must bring back."""
        nonce = os.urandom(9).hex()
        return f"{nonce}.{self._mac(visitor, whose, nonce)}"

    def is_form_token(self, token: str, visitor: str, whose: str) -> bool:
        """Whether it was made by `form_token` for the same browser and user."""
        nonce, _, mac = token.partition(".")
        return bool(visitor) and hmac.compare_digest(mac.encode(), self._mac(visitor, whose, nonce).encode())

    def _mac(self, *parts: str) -> str:
        return hmac.new(self._key, "\n".join(parts).encode(), hashlib.sha256).hexdigest()

    def _put_aside(self, token: str, whose: str) -> str:
        key = f"shelf-{os.urandom(18).hex()}"
        self._shelf[key] = whose, token
        self._shelved[whose] += len(token)
        while self._shelved[whose] > MOST_SHELVED_OF_ONE:
            self._take_away(next(one for one, (owner, _) in self._shelf.items() if owner == whose))
        while self._shelved.total() > MOST_SHELVED:
            self._take_away(next(iter(self._shelf)))
        return key

    def _take_away(self, key: str) -> None:
        whose, token = self._shelf.pop(key)
        self._shelved[whose] -= len(token)
        if not self._shelved[whose]:
            del self._shelved[whose]


def _place(whose: str, screen: str) -> bytes:
    return f"{whose}\n{screen}".encode()
