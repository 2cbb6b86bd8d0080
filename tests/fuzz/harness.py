"""Harness of the fuzzers: a user's file, or a wire, is right or one clear error, in bounded time and memory.

A kind of input has examples, and a function that reads one input as the project does. The function returns the error
that a user would get, and empty text if the input was right; whatever else it raises, how long it takes and how much
memory it takes is judged here.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

SECONDS_MOST = 5.0
"""Time that no input takes [s]."""

MEMORY_MOST = 1 << 30
"""Memory by which no input makes the process grow [B]."""

MESSAGE_MOST = 4000
"""Length that no error exceeds [letters]."""

SIZE_MOST = 1 << 16
"""Size to which inputs grow by mutation [B]."""

Read = Callable[[bytes, Path], str]
"""Function that reads an input, in a folder of its own: the error as a user gets it, or empty text."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Kind of input: a file or a wire.

    Attributes:
        name: name of the kind on the command line.
        examples: inputs that are right, of which the others are made.
        words: pieces that matter in this kind, to be put in.
        read: function that reads an input.
        modules: modules whose coverage guides the long run.
    """

    name: str
    examples: Callable[[], Sequence[bytes]]
    words: Sequence[bytes]
    read: Read
    modules: Sequence[str]


class Found(AssertionError):
    """Input that was neither right nor refused by one clear error; the text says where it is kept."""


@dataclass(slots=True)
class Tally:
    """Count of the inputs of one run.

    Attributes:
        right: number of inputs that were taken.
        refused: number of inputs that were refused by one clear error.
        slowest: longest time that one took [s].
    """

    right: int = 0
    refused: int = 0
    slowest: float = 0.0

    def __str__(self) -> str:
        return f"{self.right} right, {self.refused} refused, none else; slowest {self.slowest * 1e3:.0f} ms"


@dataclass(slots=True)
class Judge:
    """Judge of single inputs of one kind, which keeps the input that it fails.

    Attributes:
        kind: kind of the inputs.
        folder: folder in which inputs may write, and the failed one is kept.
        tally: count so far.
    """

    kind: Kind
    folder: Path
    tally: Tally = field(default_factory=Tally)
    _memory: int = 0
    _kept: int = -1

    def __post_init__(self) -> None:
        self._memory = _memory()
        # Open all the time: opening it for each input would take longer than most inputs do.
        self._kept = os.open(self.folder / f"{self.kind.name}.input", os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)

    def judge(self, data: bytes) -> None:
        """Read one input.

        Raises:
            Found: it was neither right nor refused by one clear error, or took too long or too much memory.
        """
        # Kept before it is read: what ends the process cannot keep it.
        kept = self.folder / f"{self.kind.name}.input"
        os.pwrite(self._kept, data, 0)
        os.ftruncate(self._kept, len(data))
        began = time.monotonic()
        try:
            with _alarm():
                error = self.kind.read(data, self.folder)
        except MemoryError as failure:
            raise Found(f"{kept}: no memory is left") from failure
        except Exception as failure:
            raise Found(f"{kept}: {type(failure).__name__}: {str(failure)[:500]}") from failure
        took = time.monotonic() - began
        self.tally.slowest = max(self.tally.slowest, took)
        if took > SECONDS_MOST:
            raise Found(f"{kept}: it took {took:.1f} s, at most {SECONDS_MOST} s")
        if (grown := _memory() - self._memory) > MEMORY_MOST:
            raise Found(f"{kept}: the process grew by {grown >> 20} MiB")
        if len(error) > MESSAGE_MOST or "Traceback (most recent" in error:
            raise Found(f"{kept}: an error of {len(error)} letters: {error[:300]}")
        if error:
            self.tally.refused += 1
        else:
            self.tally.right += 1


def run(kind: Kind, count: int, seed: int, folder: Path) -> Tally:
    """Read inputs that are made of the examples by mutation; the examples themselves come first.

    Args:
        kind: kind of the inputs.
        count: number of inputs.
        seed: seed of the mutations; the same one makes the same inputs.
        folder: folder in which inputs may write.

    Raises:
        Found: an input was neither right nor refused by one clear error.
    """
    judge, examples = Judge(kind, folder), list(kind.examples())
    for example in examples:
        judge.judge(example)
    if judge.tally.refused:
        raise Found(f"an example of {kind.name} is refused")
    for data in mutants(examples, kind.words, count - len(examples), seed):
        judge.judge(data)
    return judge.tally


def mutants(examples: Sequence[bytes], words: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Yield inputs that are made of examples: bytes, words, numbers and pieces are changed, moved and repeated."""
    dice = random.Random(seed)
    for _ in range(count):
        data = bytearray(dice.choice(examples))
        for _ in range(1 + int(dice.expovariate(0.6))):
            _mutate(data, dice, examples, words)
        yield bytes(data[:SIZE_MOST])


_ODD = (b"", b"\0", b"\xff", b"-1", b"0", b"1e999", b"nan", b"99999999999999999999", b"\xc3", "°".encode(), b"\n")


def _mutate(data: bytearray, dice: random.Random, examples: Sequence[bytes], words: Sequence[bytes]) -> None:
    at = dice.randrange(len(data) + 1)
    end = min(len(data), at + dice.choice((1, 2, 4, 16, 100)))
    match dice.randrange(8):
        case 0 if data:
            data[at % len(data)] ^= 1 << dice.randrange(8)
        case 1:
            del data[at:end]
        case 2:
            data[at:at] = dice.choice([*words, *_ODD])
        case 3:
            data[at:end] = dice.choice([*words, *_ODD])
        case 4:
            data[at:at] = bytes(data[at:end]) * dice.choice((1, 2, 50))
        case 5:
            other = dice.choice(examples)
            start = dice.randrange(len(other) + 1)
            data[at:end] = other[start : start + dice.choice((1, 8, 64, 512))]
        case 6 if data:
            data[at % len(data)] = dice.randrange(256)
        case 7:
            digits = [place for place, byte in enumerate(data) if 48 <= byte < 58]
            if digits:
                data[(place := dice.choice(digits)) : place + 1] = dice.choice(_ODD)


@contextmanager
def temporarily(module: Any, **constants: float) -> Iterator[None]:
    """Set constants of a module, such as the longest time to wait, while an input is read."""
    before = {name: getattr(module, name) for name in constants}
    for name, value in constants.items():
        setattr(module, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(module, name, value)


def result(tally: Tally) -> str:
    """Return a tally as JSON, for the process that started this one."""
    return json.dumps({"right": tally.right, "refused": tally.refused, "slowest": tally.slowest})


@contextmanager
def _alarm() -> Iterator[None]:
    def ring(_: int, __: FrameType | None) -> None:
        raise TimeoutError(f"it is still being read after {2 * SECONDS_MOST} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 2 * SECONDS_MOST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
