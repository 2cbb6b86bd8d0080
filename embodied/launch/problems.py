"""Collector of problems, so that one pass over a launch file reports everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from embodied.errors import LaunchError, Problem

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class Problems:
    """Collector of the problems found so far in a launch file.

    A part that is wrong raises a `LaunchError`; what collects it goes on with the next part.
    """

    def __init__(self) -> None:
        self._problems: list[Problem] = []

    def add(self, *problems: Problem) -> None:
        """Add problems to the list."""
        self._problems += problems

    def extend(self, problems: Iterable[Problem]) -> None:
        """Add the problems that a check yields."""
        self._problems += problems

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Collect the problems that a block raises, and go on behind it."""
        try:
            yield
        except LaunchError as error:
            self._problems += error.problems

    def attempt(
        self, function: Callable[_Arguments, _Result], *args: _Arguments.args, **kwargs: _Arguments.kwargs
    ) -> _Result | None:
        """Call a function and collect the problems that it raises.

        Returns:
            its result; None if it raised.
        """
        try:
            return function(*args, **kwargs)
        except LaunchError as error:
            self._problems += error.problems
            return None

    def raise_any(self) -> None:
        """Raise the problems that were collected, if there are any.

        Raises:
            LaunchError: with all of them.
        """
        if self._problems:
            raise LaunchError(self._problems)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._problems)

    def __len__(self) -> int:
        return len(self._problems)
