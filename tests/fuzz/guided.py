"""Fuzzing guided by coverage, with atheris (libFuzzer): inputs that reach new lines are kept and changed further."""

from __future__ import annotations

import mmap
import os
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.fuzz.harness import SECONDS_MOST, SIZE_MOST, Found, Judge, Kind, Tally

COUNT = struct.Struct("qqd")
"""Layout of a tally in shared memory: right, refused, slowest [s]."""


def guide(kind: Kind, count: int, seed: int, folder: Path) -> Tally:
    """Read inputs of a kind that atheris makes; see `harness.run`.

    Raises:
        Found: an input was neither right nor refused by one clear error.
    """
    import atheris

    library: Any = atheris
    corpus, words = folder / "corpus", folder / "words"
    corpus.mkdir()
    for number, example in enumerate(kind.examples()):
        (corpus / str(number)).write_bytes(example)
    escaped = ("".join(f"\\x{byte:02x}" for byte in word) for word in kind.words)
    words.write_text("".join(f'"{word}"\n' for word in escaped))
    for name, module in list(sys.modules.items()):
        if name.startswith(tuple(kind.modules)):
            _instrument(library, module)
    judge = Judge(kind, folder)
    # libFuzzer ends its process as it likes, so that is a child, and the count is in memory that both have.
    shared = mmap.mmap(-1, COUNT.size)

    def one(data: bytes) -> None:
        judge.judge(data)
        COUNT.pack_into(shared, 0, judge.tally.right, judge.tally.refused, judge.tally.slowest)

    flags = (f"-runs={count}", f"-seed={seed + 1}", f"-max_len={SIZE_MOST}", f"-timeout={int(2 * SECONDS_MOST)}")
    quiet = ("-verbosity=0", "-print_final_stats=0", f"-artifact_prefix={folder}/", "-rss_limit_mb=4096")
    library.Setup([sys.argv[0], *flags, *quiet, f"-dict={words}", str(corpus)], one)
    if (child := os.fork()) == 0:
        library.Fuzz()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    tally = Tally(*COUNT.unpack_from(shared))
    if status or tally.right + tally.refused < count:
        raise Found(f"it ended with status {status} after {tally}; the input is in {folder}")
    return tally


def _instrument(library: Any, module: Any) -> None:
    """Count the coverage of a module's functions."""
    for name, value in list(vars(module).items()):
        if getattr(value, "__module__", None) == module.__name__ and hasattr(value, "__code__"):
            # What it cannot read, such as code with some kinds of jumps, is run without being counted.
            with suppress(RuntimeError):
                setattr(module, name, library.instrument_func(value))
