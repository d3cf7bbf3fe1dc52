"""
Stateless randomness: draws of an index from the seed, and an invertible shuffle.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")


class Draw:
    """
    The draws of one index: the same seed, kind and index give the same draws in the same order, on any machine.
    """

    __slots__ = ("_pool",)

    def __init__(self, seed: int, kind: str, index: int) -> None:
        self._pool = int.from_bytes(blake2b(f"{seed}/{kind}/{index}".encode()).digest())

    def below(self, bound: int) -> int:
        """Draws a whole number in [0, bound)."""
        self._pool, drawn = divmod(self._pool, bound)
        return drawn

    def one_of(self, choices: Sequence[T]) -> T:
        """Draws one of the choices, all alike."""
        return choices[self.below(len(choices))]

    def chance(self, percent: int) -> bool:
        """Draws true in so many of a hundred cases."""
        return self.below(100) < percent


@dataclass(frozen=True, slots=True)
class Shuffle:
    """
    A one-to-one mapping of [0, size) onto itself by i·factor + shift; `back` undoes `out`.
    """

    size: int
    factor: int
    shift: int

    @classmethod
    def from_seed(cls, size: int, seed: int, kind: str) -> "Shuffle":
        """Derives a shuffle from the seed; the factor has no divisor in common with the size."""
        draw = Draw(seed, f"shuffle {kind}", size)
        factor = draw.below(size - 2) + 1
        while math.gcd(factor, size) != 1:
            factor += 1
        return cls(size=size, factor=factor, shift=draw.below(size))

    def out(self, index: int) -> int:
        """Returns the slot of an index."""
        return (index * self.factor + self.shift) % self.size

    def back(self, slot: int) -> int:
        """Returns the index of a slot."""
        return (slot - self.shift) * pow(self.factor, -1, self.size) % self.size
