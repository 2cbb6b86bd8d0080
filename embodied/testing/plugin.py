"""Pytest plugin: the fixture and the marker `scenario`, and the report of a failure with its command.

Pytest imports this module at every start, in whatever project; what a run needs is imported when one is opened.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from embodied.testing.recipe import Recipe, read_marker, read_repeat
from embodied.untrusted.text import written_out

if TYPE_CHECKING:
    from embodied.testing.run import Run

_RUNS = pytest.StashKey[list["Run"]]()

_MARKER = (
    "scenario(file, *, seeds=None, profile=None, sets=(), swaps=(), site=None, world=None, repeat=0): "
    "the launch file that the fixture `scenario` opens; one item a seed, whose runs are compared with those of as many "
    "repetitions"
)

REPEAT_OPTION = "--scenario-repeat"
"""Option of pytest for the number of repetitions of each test that opens a launch file."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option `--scenario-repeat` to pytest."""
    help_ = "repeat each test of a scenario N times in a process of its own, and compare the digests of its runs"
    parser.getgroup("embodied").addoption(REPEAT_OPTION, type=int, default=0, metavar="N", help=help_)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker `scenario` with pytest.

    Raises:
        UsageError: the number of repetitions is none.
    """
    try:
        read_repeat({"repeat": config.getoption(REPEAT_OPTION)})
    except ValueError as error:
        raise pytest.UsageError(f"{REPEAT_OPTION}: {error}") from None
    config.addinivalue_line("markers", _MARKER)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrise a test with the seeds of its marker."""
    marker = metafunc.definition.get_closest_marker("scenario")
    if marker is None:
        return
    where = f"{metafunc.definition.nodeid}: @pytest.mark.scenario"
    try:
        _, seeds = read_marker(marker.args, marker.kwargs)
    except ValueError as error:
        raise _failed(f"{where}: {error}") from None
    if seeds is None:
        return
    if "scenario" not in metafunc.fixturenames:
        # A marker of a whole module or class does not apply to tests in it that open nothing.
        if marker not in metafunc.definition.own_markers:
            return
        raise _failed(f"{where}: the test does not take the fixture: def test_…(scenario)")
    metafunc.parametrize("scenario", seeds, indirect=True, ids=[f"seed-{seed}" for seed in seeds])


@pytest.fixture
def scenario(request: pytest.FixtureRequest) -> Iterator[Scenario]:
    """Pytest fixture: open launch files in lockstep, under the test's control, and close them after the test."""
    opener = Scenario(request)
    try:
        yield opener
    finally:
        opener.close()


class Scenario:
    """Value of the pytest fixture `scenario`: call it to open a launch file."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request
        self._opened = ExitStack()
        self._runs: list[Run] = []
        request.node.stash[_RUNS] = self._runs

    def __call__(
        self,
        file: str | Path | None = None,
        *,
        profile: str | None = None,
        seed: int | None = None,
        sets: list[str] | None = None,
        swaps: list[str] | None = None,
        site: str | Path | None = None,
        world: str | None = None,
    ) -> Run:
        """Open a launch file, or fail the test.

        Args:
            file: path relative to the test's own folder, else to pytest's root folder; by default the marker's.
            profile: profile of the launch file; by default the marker's, else `sim` if there is one, else none.
            seed: seed of everything random; by default that of the test item, else 0.
            sets: values of --set, such as `["robot=xarm6"]`; by default the marker's.
            swaps: values of --swap; by default the marker's.
            site: value of --site; by default the marker's.
            world: value of --world; by default the marker's.
        """
        __tracebackhide__ = True
        arguments = {"profile": profile, "seed": seed, "sets": sets, "swaps": swaps, "site": site, "world": world}
        try:
            recipe = self._recipe(file, {name: value for name, value in arguments.items() if value is not None})
        except ValueError as error:
            raise _failed(f"scenario(…): {error}") from None
        from embodied.errors import EmbodiedError
        from embodied.testing.run import Run

        try:
            run = Run.open(recipe, trace=_repetitions(self._request.node) > 0 or _repeats())
        except EmbodiedError as error:
            text = _text(error)
            searched = self._searched() if f"cannot read {recipe.file}:" in text else ""
            raise _failed(text + searched) from None
        self._opened.callback(run.close)
        self._runs.append(run)
        return run

    def _recipe(self, file: str | Path | None, given: dict[str, Any]) -> Recipe:
        marker = self._request.node.get_closest_marker("scenario")
        seed = getattr(self._request, "param", 0)
        if file is not None:
            recipe = Recipe(file, **{"seed": seed, **given})
        elif marker is None:
            raise ValueError("name the launch file, or mark the test: @pytest.mark.scenario(file)")
        else:
            recipe = replace(read_marker(marker.args, marker.kwargs)[0], **{"seed": seed, **given})
        site = None if recipe.site is None else self._locate(recipe.site)
        return replace(recipe, file=self._locate(recipe.file), site=site)

    def _locate(self, path: str | Path) -> Path:
        """Find a file beside the test or in pytest's root folder; any other may name one that ships."""
        here = self._request.config.invocation_params.dir
        for folder in self._folders:
            file = folder / path
            if file.is_file():
                # Relative where possible, for the command that reproduces the run.
                return file.relative_to(here) if file.is_relative_to(here) and Path.cwd() == here else file
        return Path(path)

    @property
    def _folders(self) -> tuple[Path, Path]:
        return self._request.path.parent, self._request.config.rootpath

    def _searched(self) -> str:
        folders = ", ".join(dict.fromkeys(map(str, self._folders)))
        return f"\n   = help: looked for in {folders}, and among those that are installed"

    def close(self) -> None:
        """Close the opened runs, the last one first."""
        __tracebackhide__ = True
        from embodied.errors import EmbodiedError

        try:
            self._opened.close()
        except EmbodiedError as error:
            raise _failed(_text(error)) from None


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Repeat a test that has passed, if that was asked for, and compare its runs."""
    begin = time.monotonic()
    result = yield
    runs, repeat = pyfuncitem.stash.get(_RUNS, []), _repetitions(pyfuncitem)
    if runs and (repeat or _repeats()):
        from embodied.testing import repetition

        if _repeats():
            repetition.write(runs)
        elif found := repetition.difference(pyfuncitem, runs, repeat, time.monotonic() - begin):
            raise _failed(found)
    return result


def _repeats() -> bool:
    """Return whether this process is itself a repetition of a test."""
    return "EMBODIED_REPETITION" in os.environ


def _repetitions(item: pytest.Item) -> int:
    """Return how often a test is to be repeated: as its marker says, else as the option does."""
    marker = item.get_closest_marker("scenario")
    asked = 0 if marker is None else read_repeat(marker.kwargs)
    return asked or int(item.config.getoption(REPEAT_OPTION))


def _failed(message: str) -> BaseException:
    """Return a failure that pytest shows without a traceback, and as text whatever is in it."""
    return pytest.fail.Exception(written_out(message), pytrace=False)


def _text(error: Exception) -> str:
    return "\n".join([str(error), *getattr(error, "__notes__", ())])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to a failure in pytest what was run, how far it came, and the command that reproduces it without the test."""
    report = yield
    if report.when == "call" and report.failed:
        for run in item.stash.get(_RUNS, []):
            report.sections.append(("scenario", written_out(run.summary())))
            # JUnit XML, as CI servers read it, has no sections, but it has properties.
            item.user_properties.append(("reproduce", run.command))
    return report
