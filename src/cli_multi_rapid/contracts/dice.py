"""Chance that is the same in every process and with every version of Python."""

from collections.abc import Sequence
from hashlib import sha256
from typing import TypeVar

_MASK = (1 << 64) - 1
_Item = TypeVar("_Item")


class Dice:
    """A generator of pseudo-random numbers (SplitMix64) that begins from some words and numbers."""

    def __init__(self, *seed: str | int) -> None:
        self._state = int.from_bytes(sha256(repr(seed).encode()).digest()[:8], "big")

    def below(self, limit: int) -> int:
        """Return a whole number from 0 up to and without `limit`, which is at most 2**64."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = ((self._state ^ self._state >> 30) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ mixed >> 27) * 0x94D049BB133111EB) & _MASK
        return (mixed ^ mixed >> 31) * limit >> 64

    def one_of(self, items: Sequence[_Item]) -> _Item:
        """Return one of the items."""
        return items[self.below(len(items))]

    def mixed(self, items: Sequence[_Item]) -> list[_Item]:
        """Return the items in another order."""
        left = list(items)
        for index in range(len(left) - 1, 0, -1):
            other = self.below(index + 1)
            left[index], left[other] = left[other], left[index]
        return left
