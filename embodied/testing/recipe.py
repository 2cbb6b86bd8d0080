"""What a test opens: a launch file, and what lies over it. Nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embodied.errors import nearest
from embodied.runtime.command_line import command

MAX_SEEDS = 100_000
"""A marker that asks for more items than this is a mistake."""

_ALLOWED = ("seeds", "profile", "world", "sets", "swaps", "site")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A launch file with its overrides and a seed.

    Attributes:
        file: the launch file, as it was named.
        profile: its profile; None is `sim` where the file has one, else the file itself.
        seed: everything random is drawn from it.
        sets, swaps, site, world: as on the command line.

    Raises:
        ValueError: one of them makes no sense; the sentence says what was expected.
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
            given = getattr(self, name)
            if isinstance(given, str) or not all(isinstance(text, str) for text in given):
                raise ValueError(f"{name}: expected a list such as ['{example}'], got {given!r}")

    def command(self, until: int) -> str:
        """The command that makes the same run, up to a time [ns]."""
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


def read_marker(args: Sequence[Any], about: Mapping[str, Any]) -> tuple[Recipe, list[int] | None]:
    """What `@pytest.mark.scenario(…)` says.

    Args:
        args: its positional arguments: the launch file.
        about: the others.

    Returns:
        the recipe, and the seeds; None where it names none.

    Raises:
        ValueError: it makes no sense; the sentence says what was expected.
    """
    if len(args) != 1:
        raise ValueError(f'expected one launch file, @pytest.mark.scenario("launch/…", …), got {len(args)}')
    for name in about:
        if name not in _ALLOWED:
            raise ValueError(f"there is no '{name}'; {', '.join(nearest(name, _ALLOWED))}")
    rest = {name: value for name, value in about.items() if name != "seeds"}
    seeds = _seeds(about["seeds"]) if "seeds" in about else None
    return Recipe(args[0], **rest), seeds


def _seeds(given: Any) -> list[int]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise ValueError(f"expected seeds such as range(20), got {given!r}")
    found = []
    for seed in given:
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            raise ValueError(f"expected seeds, whole numbers from 0, got {seed!r}")
        found.append(seed)
        if len(found) > MAX_SEEDS:
            raise ValueError(f"more than {MAX_SEEDS} seeds")
    if not found:
        raise ValueError(f"the seeds {given!r} are empty; write range(20)")
    if len(set(found)) < len(found):
        raise ValueError(f"a seed stands twice in {given!r}")
    return found
