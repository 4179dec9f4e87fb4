"""What stands in the place of identifiers: the same for the same original during one run, and not to be turned back."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from datetime import timedelta

_SHORTEST_SHIFT, _LONGEST_SHIFT = 90, 3650  # days


class Pseudonyms:
    """Keyed hashes (HMAC-SHA-256) under a secret that lives as long as this object and is never written anywhere.

    So nothing has to be remembered about any patient, two runs share nothing, and without the secret neither the
    originals nor the shift of dates can be worked out from the results.
    """

    def __init__(self, secret: bytes | None = None) -> None:
        self._secret = secret if secret is not None else secrets.token_bytes(32)

    def uid(self, original: str) -> str:
        """A UID derived from a random-looking UUID (PS3.5 B.2)."""
        return f"2.25.{uuid.UUID(bytes=self._digest('uid', original)[:16], version=4).int}"

    def patient(self, identity: str) -> str:
        """A patient's name and id, and the name of the folder."""
        return self.label("anon", identity)

    def label(self, kind: str, original: str) -> str:
        """A name for a file or folder: ``kind`` and twelve hexadecimal digits."""
        return f"{kind}-{self._digest(kind, original).hex()[:12]}"

    def shift(self, identity: str) -> timedelta:
        """How far a patient's dates and times are moved to the past: 90 to 3650 days and some seconds."""
        digest = self._digest("shift", identity)
        days = _SHORTEST_SHIFT + int.from_bytes(digest[:8]) % (_LONGEST_SHIFT - _SHORTEST_SHIFT + 1)
        return -timedelta(days=days, seconds=int.from_bytes(digest[8:16]) % 86_400)

    def _digest(self, kind: str, original: str) -> bytes:
        return hmac.digest(self._secret, f"{kind}\0{original}".encode("utf-8", "surrogatepass"), hashlib.sha256)
