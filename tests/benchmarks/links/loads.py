"""What is carried: messages from a joint position to a 4K picture, typed, and the same for every transport."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from embodied import Time
from embodied.messages import Array, Image, Message, Unit, Vector

PAGE = 4096
"""Who receives a large array reads one byte in so many: pages that nobody looks at cost nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position(Message):
    """A vector of seven joints and a stamp: 64 B."""

    position: Annotated[Vector, Array("n", "rad")]
    acquired: Annotated[Time, Unit("ns")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Joints(Message):
    """All that an arm's controller tells of seven joints, and a stamp: 400 B."""

    position: Annotated[Vector, Array("n", "rad")]
    velocity: Annotated[Vector, Array("n", "rad/s")]
    acceleration: Annotated[Vector, Array("n", "rad/s²")]
    effort: Annotated[Vector, Array("n", "N·m")]
    external: Annotated[Vector, Array("n", "N·m")]
    current: Annotated[Vector, Array("n", "A")]
    temperature: Annotated[Vector, Array("n", "K")]
    acquired: Annotated[Time, Unit("ns")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block(Message):
    """Bytes and a stamp."""

    data: Annotated[NDArray[np.uint8], Array("n", "", "uint8")]
    acquired: Annotated[Time, Unit("ns")]


@dataclass(frozen=True)
class Load:
    """One kind of message that is measured.

    Attributes:
        name: as the tables show it.
        kind: type of the message; beside arrays it has one field, `acquired`.
        shape, dtype: of each of its arrays.
    """

    name: str
    kind: type[Any]
    shape: tuple[int, ...]
    dtype: str

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the arrays."""
        return tuple(name for name in self.kind.__dataclass_fields__ if name != "acquired")

    @property
    def each(self) -> int:
        """Size of one array [B]."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize

    @property
    def size(self) -> int:
        """Size of all arrays [B]."""
        return self.each * len(self.fields)

    @property
    def waiting(self) -> int:
        """How many may wait for a subscriber, where a transport lets one choose: a thousand, or 64 MiB of them."""
        return max(2, min(1000, 64 * 1024 * 1024 // self.size))

    @property
    def large(self) -> bool:
        """Whether it is one array that is better looked at in place than copied once more."""
        return self.each >= PAGE

    def make(self) -> Any:
        """A message whose arrays the caller owns."""
        rng = np.random.default_rng(self.size)
        arrays = [rng.integers(0, 100, self.shape).astype(self.dtype) for _ in self.fields]
        return self.kind(**dict(zip(self.fields, arrays, strict=True)), acquired=0)

    def stamper(self) -> Callable[[Any, int], None]:
        """A function that sets the stamp of a message: one that is sent again and again costs its sender nothing."""
        setter: Callable[[Any, int], None] = self.kind.acquired.__set__
        return setter

    def toucher(self) -> Callable[[Any], object]:
        """A function that looks at a message that has arrived."""
        if not self.large:
            return lambda message: message.acquired
        return lambda message: message.data.reshape(-1)[::PAGE].tobytes()


LOADS = (
    Load("64 B", Position, (7,), "float64"),
    Load("400 B", Joints, (7,), "float64"),
    Load("64 KiB", Block, (64 * 1024,), "uint8"),
    Load("1 MiB", Block, (1024 * 1024,), "uint8"),
    Load("720p RGB", Image, (720, 1280, 3), "uint8"),
    Load("4K RGB", Image, (2160, 3840, 3), "uint8"),
)
SMALL, BLOCK = LOADS[0], LOADS[3]
"""What is measured with many subscribers."""
