"""The Merkle tree hash of RFC 6962 §2.1: one value that stands for a list of byte strings in their order."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256


class MerkleRoot:
    """Computes the root while leaves arrive, in memory that grows with the logarithm of their number."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._complete: list[tuple[int, bytes]] = []
        for leaf in leaves:
            self.add(leaf)

    def add(self, leaf: bytes) -> None:
        """Append one leaf."""
        height, value = 0, sha256(b"\0" + leaf).digest()
        while self._complete and self._complete[-1][0] == height:
            _, left = self._complete.pop()
            height, value = height + 1, sha256(b"\1" + left + value).digest()
        self._complete.append((height, value))

    def hexdigest(self) -> str:
        """Return the root in hex; that of no leaves is the SHA-256 of nothing."""
        if not self._complete:
            return sha256(b"").hexdigest()
        _, value = self._complete[-1]
        for _, left in reversed(self._complete[:-1]):
            value = sha256(b"\1" + left + value).digest()
        return value.hex()
