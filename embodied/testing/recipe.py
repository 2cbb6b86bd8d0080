"""Recipe of a test's run: launch file, overrides and seed, read from a marker. Nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embodied.errors import nearest
from embodied.runtime.command_line import command

SEEDS_MOST = 100_000
"""Maximum number of seeds of a marker; more are a mistake."""

REPEAT_MOST = 100
"""Maximum number of repetitions of a test; more are a mistake."""

_ALLOWED = ("seeds", "profile", "world", "sets", "swaps", "site", "repeat")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Recipe of a test's run: launch file with its overrides and a seed.

    Attributes:
        file: path of the launch file.
        profile: profile of the launch file; None: `sim` if there is one, else no profile.
        seed: seed of everything random.
        sets, swaps, site, world: overrides as on the command line.

    Raises:
        ValueError: a value is of the wrong type or out of range.
    """

    file: str | Path
    profile: str | None = None
    seed: int = 0
    sets: Sequence[str] = ()
    swaps: Sequence[str] = ()
    site: str | Path | None = None
    world: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.file, str | Path):
            raise ValueError(f"expected the path of a launch file, got {self.file!r}")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise ValueError(f"expected a seed, a whole number from 0, got {self.seed!r}")
        for name, example in (("sets", "robot=xarm6"), ("swaps", "policy=policies.tasks.cloned:ClonedPickPlace")):
            value = getattr(self, name)
            if isinstance(value, str) or not all(isinstance(text, str) for text in value):
                raise ValueError(f"{name}: expected a list such as ['{example}'], got {value!r}")

    def command(self, until: int) -> str:
        """Return the command that reproduces the run up to a time [ns]."""
        return command(
            self.file,
            self.profile,
            self.seed,
            world=self.world,
            site=self.site,
            swaps=self.swaps,
            sets=self.sets,
            limit=until,
        )


def read_marker(args: Sequence[Any], keywords: Mapping[str, Any]) -> tuple[Recipe, list[int] | None]:
    """Read the recipe of a test's run from `@pytest.mark.scenario(…)`.

    Args:
        args: positional arguments: the launch file.
        keywords: keyword arguments.

    Returns:
        the recipe, and the seeds; None without the argument `seeds`.

    Raises:
        ValueError: an argument is unknown, of the wrong type or out of range.
    """
    if len(args) != 1:
        raise ValueError(f'expected one launch file, @pytest.mark.scenario("launch/…", …), got {len(args)}')
    for name in keywords:
        if name not in _ALLOWED:
            raise ValueError(f"there is no '{name}'; {', '.join(nearest(name, _ALLOWED))}")
    _ = read_repeat(keywords)
    rest = {name: value for name, value in keywords.items() if name not in ("seeds", "repeat")}
    seeds = _seeds(keywords["seeds"]) if "seeds" in keywords else None
    return Recipe(args[0], **rest), seeds


def read_repeat(keywords: Mapping[str, Any]) -> int:
    """Read from a marker's keyword arguments how often its test is repeated in a process of its own; 0 by default.

    Raises:
        ValueError: it is no whole number, or too large.
    """
    repeat = keywords.get("repeat", 0)
    if isinstance(repeat, bool) or not isinstance(repeat, int) or not 0 <= repeat <= REPEAT_MOST:
        raise ValueError(f"repeat must be a whole number from 0 to {REPEAT_MOST}, got {repeat!r}")
    return repeat


def _seeds(value: Any) -> list[int]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ValueError(f"expected seeds such as range(20), got {value!r}")
    seeds = []
    for seed in value:
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            raise ValueError(f"expected seeds, whole numbers from 0, got {seed!r}")
        seeds.append(seed)
        if len(seeds) > SEEDS_MOST:
            raise ValueError(f"more than {SEEDS_MOST} seeds")
    if not seeds:
        raise ValueError(f"the seeds {value!r} are empty; write range(20)")
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"a seed is repeated in {value!r}")
    return seeds
