"""Comparison of several runs of one seed, each in a process with another order of what Python hashes.

All but the first have a process that has run no other seed, so that they differ where a module, a cache or a library
keeps something of the seeds before.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from embodied.runtime.digest import first_difference
from embodied.suite.seed_run import INFRASTRUCTURE, JUDGED, Attempt, Result

HASH_SEED = "PYTHONHASHSEED"
"""Variable from which Python takes the order of sets of text."""


def hash_seed(repetition: int) -> str:
    """Return the value of `PYTHONHASHSEED` for a run of a seed that is repeated: another one for each."""
    given = os.environ.get(HASH_SEED, "")
    return str((int(given) if given.isdecimal() else 0) + repetition)


def compared(attempts: Sequence[Attempt]) -> Result:
    """Return the result of a seed's runs: that of the first, unless they differ.

    Args:
        attempts: the runs, at least one, in their order.
    """
    first, *others = attempts
    for number, other in enumerate(others, 1):
        if first.result.status not in JUDGED or other.result.status not in JUDGED:
            return first.result if first.result.status not in JUDGED else other.result
        mine, theirs = first.result.outcome.get("about"), other.result.outcome.get("about")
        if mine != theirs:
            return replace(first.result, status=INFRASTRUCTURE, note=f"nothing to compare: {mine} and {theirs}")
        if first.result.digest != other.result.digest:
            where = first_difference(first.marks or [], other.marks or [])
            seeds = " and ".join(f"{HASH_SEED}={hash_seed(n)}" for n in (0, number))
            note = (
                f"two runs differ first in {where}; run it with {seeds} before the command; if those agree, a module "
                "or a cache keeps something of an earlier seed in the same process"
            )
            return replace(first.result, status="nondeterministic", note=note)
    return first.result
