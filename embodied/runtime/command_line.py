"""Command line that makes one run again: launch file, overrides and seed."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from embodied.clock import exact


def command(
    file: str | Path,
    profile: str | None,
    seed: int,
    *,
    world: str | None = None,
    site: str | Path | None = None,
    swaps: Sequence[str] = (),
    sets: Sequence[str] = (),
    limit: int | None = None,
    live: bool = False,
) -> str:
    """Return the command line that makes a run again.

    Args:
        file: the launch file, as it was named.
        profile: its profile; None is the file itself.
        seed: everything random is drawn from it.
        world: as --world.
        site: as --site.
        swaps: as --swap.
        sets: as --set.
        limit: virtual time to stop at [ns]; None is when the world has decided.
        live: as --live.
    """
    words = ["embodied", "run", str(file)]
    words += ["--profile", profile] if profile else []
    words += ["--live"] if live else []
    words += ["--world", world] if world else []
    words += ["--site", str(site)] if site else []
    words += [word for text in swaps for word in ("--swap", text)]
    words += [word for text in sets for word in ("--set", text)]
    words += ["--seed", str(seed)]
    words += ["--for", exact(limit)] if limit else []
    return shlex.join(words)
