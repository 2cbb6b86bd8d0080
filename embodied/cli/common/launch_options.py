"""Launch options: profile and overrides of a launch file, one copy for run, check, graph, test and sweep."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from embodied.cli.common import complete
from embodied.cli.common.output import usage
from embodied.launch import Launch, Overrides, load

FileArgument = Annotated[
    Path, typer.Argument(help="the launch file", show_default=False, autocompletion=complete.files)
]
SimOption = Annotated[bool, typer.Option("--sim", help="the same as --profile sim")]
ProfileOption = Annotated[
    str | None,
    typer.Option("--profile", "-p", help="profile of the launch file", autocompletion=complete.profiles),
]
SiteOption = Annotated[
    Path | None,
    typer.Option(help="a file with this site's serials, hosts and calibration", autocompletion=complete.files),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", help="NAME=VALUE or NODE.SETTING=VALUE; repeatable", autocompletion=complete.settings),
]
SwapOption = Annotated[
    list[str] | None,
    typer.Option("--swap", help="NODE=module:Class, or world=module:Class; repeatable", autocompletion=complete.swaps),
]
WorldOption = Annotated[
    str | None,
    typer.Option(help="variant of the world, one of the launch file's 'worlds'", autocompletion=complete.worlds),
]
LiveOption = Annotated[
    bool, typer.Option("--live", help="run in several processes on the steady clock, as on the robot")
]


class Format(StrEnum):
    """Launch option: output format of problems, plain text or annotations of a pull request."""

    TEXT = "text"
    GITHUB = "github"


FormatOption = Annotated[
    Format, typer.Option("--format", help="github: annotations of a pull request, and the step's summary")
]


@dataclass(frozen=True, slots=True)
class LaunchOptions:
    """Profile and overrides of a launch file, as given on the command line.

    Attributes:
        sim: whether --sim is given.
        profile: value of --profile.
        world: name of a variant of the world.
        site: file with settings of a site.
        sets: changed settings, `NODE.SETTING=VALUE`.
        swaps: changed classes, `NODE=module:Class`.
    """

    sim: SimOption = False
    profile: ProfileOption = None
    world: WorldOption = None
    site: SiteOption = None
    sets: SetOption = None
    swaps: SwapOption = None

    @property
    def given(self) -> bool:
        """Whether any of the options is given."""
        return self != LaunchOptions()

    @property
    def overrides(self) -> Overrides:
        """Everything but the profile, as the loader takes it."""
        return Overrides(self.site, tuple(self.swaps or ()), tuple(self.sets or ()), self.world)

    def chosen_profile(self, default: str | None = None) -> str | None:
        """Combine --sim and --profile into one profile.

        Raises:
            LaunchError: they contradict each other.
        """
        if self.sim and self.profile not in (None, "sim"):
            raise usage(f"--sim and --profile {self.profile} exclude each other", "give one of them")
        return "sim" if self.sim else self.profile or default

    def load(self, file: Path) -> Launch:
        """Load a launch file with these overrides.

        Raises:
            LaunchError: the file or an override is wrong.
        """
        return load(file, self.overrides)


def with_launch_options(verb: Callable[..., None]) -> Callable[..., None]:
    """Expand a verb's parameter `options` into the launch options, so that each signature need not repeat them.

    Args:
        verb: function of a command; typer reads its signature.
    """
    shared = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in inspect.signature(LaunchOptions, eval_str=True).parameters.values()
    ]

    @functools.wraps(verb)
    def expanded(*args: Any, **kwargs: Any) -> None:
        options = LaunchOptions(**{parameter.name: kwargs.pop(parameter.name) for parameter in shared})
        verb(*args, options=options, **kwargs)

    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(verb, eval_str=True).parameters.values():
        parameters += shared if parameter.name == "options" else [parameter]
    expanded.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    expanded.__dict__["__signature__"] = inspect.Signature(parameters)
    return expanded
