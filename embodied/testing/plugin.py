"""The pytest plugin: the fixture `scenario`, the marker of the same name, and what a failure says.

Pytest loads this at every start, so that it imports nothing heavy: what a run needs is imported when one is opened.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from embodied.testing.recipe import Recipe, read_marker

if TYPE_CHECKING:
    from embodied.testing.run import Run

_RUNS = pytest.StashKey[list["Run"]]()

_MARKER = (
    "scenario(file, *, seeds=None, profile=None, sets=(), swaps=(), site=None, world=None): "
    "the launch file that the fixture `scenario` opens; one item a seed"
)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _MARKER)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item for each seed of the marker."""
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
        # A marker of the whole module or class is not for those of its tests that open nothing.
        if marker not in metafunc.definition.own_markers:
            return
        raise _failed(f"{where}: the test does not take the fixture: def test_…(scenario)")
    metafunc.parametrize("scenario", seeds, indirect=True, ids=[f"seed-{seed}" for seed in seeds])


@pytest.fixture
def scenario(request: pytest.FixtureRequest) -> Iterator[Scenario]:
    """Opens launch files in lockstep, under the test's control; what it opened is closed after the test."""
    made = Scenario(request)
    try:
        yield made
    finally:
        made.close()


class Scenario:
    """What the fixture `scenario` is: call it to open a launch file."""

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
        """Open a launch file; it fails the test if that cannot be.

        Args:
            file: relative to the test's own folder if it is there, else to pytest's root folder; None is the marker's.
            profile: None is the marker's; else `sim` where the file has one, else the file itself.
            seed: everything random is drawn from it; None is that of the marker's item, else 0.
            sets: as --set on the command line, `["robot=xarm6"]`; None is the marker's, else none.
            swaps: as --swap, the same way.
            site: as --site, the same way.
            world: as --world, the same way.
        """
        __tracebackhide__ = True
        given = {"profile": profile, "seed": seed, "sets": sets, "swaps": swaps, "site": site, "world": world}
        try:
            recipe = self._recipe(file, {name: value for name, value in given.items() if value is not None})
        except ValueError as error:
            raise _failed(f"scenario(…): {error}") from None
        from embodied.errors import EmbodiedError
        from embodied.testing.run import Run

        try:
            run = Run.open(recipe)
        except EmbodiedError as error:
            text = _text(error)
            sought = self._sought() if f"cannot read {recipe.file}:" in text else ""
            raise _failed(text + sought) from None
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
        site = None if recipe.site is None else self._found(recipe.site)
        return replace(recipe, file=self._found(recipe.file), site=site)

    def _found(self, named: str | Path) -> Path:
        """A file beside the test, else in pytest's root folder, else as named: it may be one that is installed."""
        here = self._request.config.invocation_params.dir
        for folder in self._folders:
            file = folder / named
            if file.is_file():
                # As one would type it, for the command that runs it again.
                return file.relative_to(here) if file.is_relative_to(here) and Path.cwd() == here else file
        return Path(named)

    @property
    def _folders(self) -> tuple[Path, Path]:
        return self._request.path.parent, self._request.config.rootpath

    def _sought(self) -> str:
        folders = ", ".join(dict.fromkeys(map(str, self._folders)))
        return f"\n   = help: looked for in {folders}, and among those that are installed"

    def close(self) -> None:
        """Close whatever is open, the last first."""
        __tracebackhide__ = True
        from embodied.errors import EmbodiedError

        try:
            self._opened.close()
        except EmbodiedError as error:
            raise _failed(_text(error)) from None


def _failed(message: str) -> BaseException:
    """A failure that is told by its message alone."""
    return pytest.fail.Exception(message, pytrace=False)


def _text(error: Exception) -> str:
    return "\n".join([str(error), *getattr(error, "__notes__", ())])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure says what was run, how far it came, and how to run it again without the test."""
    report = yield
    if report.when == "call" and report.failed:
        for run in item.stash.get(_RUNS, []):
            report.sections.append(("scenario", run.summary()))
            # Where the report is a file, as in CI, sections are not in it and properties are.
            item.user_properties.append(("reproduce", run.command))
    return report
