"""World of a run, called so that whatever goes wrong in it names what it was doing."""

from __future__ import annotations

from embodied.clock import Time
from embodied.errors import EmbodiedError, WorldFailed, error_text
from embodied.interrupts import foreign
from embodied.runtime.failures import location
from embodied.world import Verdict, World


class CheckedWorld:
    """World of a run whose exceptions become WorldFailed; errors of the project's own stay as they are.

    Args:
        inner: the world, which nodes get as it is.
    """

    def __init__(self, inner: World) -> None:
        self.inner = inner

    def reset(self, seed: int) -> None:
        """Build the world from a seed."""
        try:
            self.inner.reset(seed)
        except foreign() as error:
            raise _failed("reset", error) from error

    def about(self) -> dict[str, str]:
        """Return what its pictures depend on beside the seed."""
        try:
            return dict(self.inner.about())
        except foreign() as error:
            raise _failed("say what it depends on", error) from error

    def advance(self, to: Time) -> None:
        """Simulate up to a time [ns]."""
        try:
            self.inner.advance(to)
        except foreign() as error:
            raise _failed(f"advance to {to / 1e9:.6f} s", error) from error

    def verdict(self) -> Verdict | None:
        """Return its verdict on the run so far, once it has one."""
        try:
            verdict = self.inner.verdict()
        except foreign() as error:
            raise _failed("judge", error) from error
        if verdict is not None and not isinstance(verdict, Verdict):
            raise WorldFailed(f"the world judged with {verdict!r}, which is not a Verdict")
        return verdict

    def close(self) -> None:
        """Close the simulator behind it."""
        try:
            self.inner.close()
        except foreign() as error:
            raise _failed("close", error) from error


def _failed(doing: str, error: BaseException) -> EmbodiedError:
    if isinstance(error, EmbodiedError):
        return error
    where = location(error)
    return WorldFailed(f"the world failed to {doing}: {error_text(error)}" + (f"\n  --> {where}" if where else ""))
