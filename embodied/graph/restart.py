"""Restart policy of a node: whether and how often it is started again once it has ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from embodied.clock import duration
from embodied.errors import nearest
from embodied.node.settings import SettingError

When = Literal["never", "on-failure", "always"]

WHEN: tuple[When, ...] = get_args(When)
"""Conditions on which a node is started again."""

LIMIT_MOST = 100_000
"""Highest limit of restarts that can be set."""

_KEYS = ("when", "limit", "backoff")


@dataclass(frozen=True, slots=True)
class Restart:
    """Restart policy of one node; ignored in lockstep.

    Attributes:
        when: condition, never, on-failure or always.
        limit: maximum number of restarts.
        backoff: delay before each restart [ns].
    """

    when: When = "never"
    limit: int = 5
    backoff: int = 500_000_000

    @classmethod
    def of(cls, written: object) -> Restart:
        """Parse a policy: `"on-failure"`, or `{"when": "on-failure", "limit": 5, "backoff": "500ms"}`.

        Raises:
            SettingError: a value is invalid; the path of the error is its key.
        """
        if isinstance(written, Restart):
            return written
        fields = written if isinstance(written, Mapping) else {"when": written}
        for key in fields:
            if key not in _KEYS:
                raise SettingError(f"restart has no '{key}'", (str(key),), nearest(str(key), _KEYS))
        if fields.get("when") is None:
            raise SettingError("restart needs 'when'", (), ("add 'when: on-failure'",))
        return cls(**{key: _value(key, value) for key, value in fields.items() if value is not None})

    def describe(self) -> dict[str, Any]:
        """Return plain data, as a launch file has it; times in [ns]."""
        return {"when": self.when, "limit": self.limit, "backoff": self.backoff}


NEVER = Restart()
"""Policy of a node that is not started again."""


def _value(key: str, written: Any) -> Any:
    if key == "when":
        if written not in WHEN:
            fix = nearest(str(written), WHEN)
            raise SettingError(f"restart: expected one of {', '.join(WHEN)}, got {written!r}", (key,), fix)
        return written
    if key == "limit":
        if isinstance(written, bool) or not isinstance(written, int) or not 1 <= written <= LIMIT_MOST:
            raise SettingError(f"limit: expected a whole number from 1 to {LIMIT_MOST}, got {written!r}", (key,))
        return written
    try:
        return duration(written)
    except ValueError as error:
        raise SettingError(f"backoff: {error}", (key,)) from None
