"""Part of the driver contract: what others do to a device while its driver is open.

Laws: each part of what is published has its own age; a device that comes back is identified again; an order that was
sent may have been carried out, whatever came back; and a device that somebody else commands, stops or restarts is sent
nothing more until a person arms it again.

A bench states how each of these is done to its device; a test of what it cannot do is skipped, with the bench's reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from embodied.devices.virtual import Unsupported
from embodied.errors import DeviceLost, NotStopped
from embodied.runtime.lifecycle import meet
from embodied.testing.bench_contract import BenchContract
from embodied.testing.benches.bench import Bench
from embodied.testing.observations import GRACE, acquisitions, follows, goes_until, insist, moves, near, until
from embodied.testing.serving import pause

MARGIN = 0.2
"""Time that a report may take from the device to an output, beside the times that the driver states [s]."""

AFTER = 0.4
"""Time for which a driver is watched once it has reported that something is wrong [s]."""

PUBLISHED = 1.5
"""Time within which each part is published for the first time [s]."""

IN_FLIGHT = 0.05
"""Time within which whatever was sent has reached the device [s]."""


class InterferenceContract(BenchContract):
    """Part of the driver contract: ages of parts, other devices, lost answers, and other commanders."""

    def test_each_part_of_what_it_publishes_has_its_own_age(self) -> None:
        """Check that a part whose reports cease is not published any more, and the reason is."""
        with self.served() as bench:
            for part, published in bench.parts().items():
                with bench.ready() as drive:
                    assert goes_until(drive, lambda: any(map(published, drive.outputs)), PUBLISHED, *moves(bench)), (  # noqa: B023
                        f"{part}: it was not published"
                    )
                    with bench.silent(part):
                        reason = insist(
                            drive, _reported_within(bench, drive.driver) + MARGIN, *moves(bench), early=True
                        )
                        assert reason, f"{part}: nothing says that it is missing"
                        drive.outputs.clear()
                        insist(drive, AFTER, *moves(bench))
                        assert not any(map(published, drive.outputs)), f"{part}: it was published from an old report"

    def test_another_device_in_its_place_is_not_taken_for_it(self) -> None:
        """Check that nothing of another device is published, nothing is sent to it, and the reason is reported."""
        with self.served() as bench:
            replace = bench.replacement()
            with bench.ready() as drive:
                serial = drive.driver.identify().serial
            if not serial:
                raise Unsupported("it has no serial number that would differ from that of another one")
            with bench.ready(serial=serial) as drive:
                drive.go(0.7, *moves(bench))
                replace()
                drive.outputs.clear()
                since, received = drive.now, _received(bench)
                reason = insist(drive, _reported_within(bench, drive.driver) + GRACE, *moves(bench), early=True)
                assert reason, "nothing says that it is another device"
                insist(drive, AFTER, *moves(bench))
                late = {port: times for port, times in acquisitions(drive).items() if max(times) > since}
                assert not late, f"it published what another device measured: {list(late)}"
                assert _received(bench) == received, "it commanded another device"

    def test_orders_without_an_answer_count_as_carried_out_when_it_is_closed(self) -> None:
        """Check that `close` leaves a device safe that took the orders of `arm`, though every answer was lost."""
        with self.served() as bench:
            if not bench.commanded:
                raise Unsupported("it takes no orders")
            for answers in (False, True):
                unanswered = bench.unanswered()
                driver: Any = bench.driver()
                driver.open()
                try:
                    meet("driver", driver)
                    with unanswered:
                        _attempt(driver.arm)
                        if not answers:
                            _attempt(driver.close)
                finally:
                    _attempt(driver.close)
                how = "came again" if answers else "were still lost"
                assert until(bench.safe), f"it was left as `arm` brought it, when answers {how} at its `close`"

    def test_a_stop_without_an_answer_is_sent_all_the_same(self) -> None:
        """Check that `halt` stops a device whose answers are lost, or says that it may not have stopped."""
        with self.served() as bench:
            if not bench.commanded:
                raise Unsupported("it takes no orders")
            unanswered = bench.unanswered()
            with bench.ready() as drive:
                drive.go(0.5, bench.motion)
                with unanswered:
                    _attempt(drive.driver.halt)
                assert until(bench.virtual.stopped)
                drive.go(0.2, bench.motion)
                assert drive.applied is None, "it went on without being armed again"

    def test_nothing_is_sent_once_somebody_else_commands_stops_or_restarts_it(self) -> None:
        """Check that the driver says so in time, sends nothing more, and follows again once it is armed."""
        with self.served() as bench:
            if not bench.commanded:
                raise Unsupported("it takes no commands")
            before = ""
            # The driver that is armed after one way also shows that it follows again, and is there for the next way.
            ways: list[tuple[str, Callable[[], None] | None]] = [*bench.intrusions().items(), ("", None)]
            for way, intrude in ways:
                with bench.ready() as drive:
                    drive.go(0.4, bench.motion)
                    applied = drive.applied
                    assert applied is not None, f"{before}: it does not follow after a person armed it"
                    if intrude is None:
                        break
                    intrude()
                    reason = insist(drive, _reported_within(bench, drive.driver) + MARGIN, bench.motion, early=True)
                    assert reason, f"{way}: nothing says so: {drive.status}"
                    # What the driver sent with the step that says so may still be on its way.
                    pause(IN_FLIGHT)
                    received, stood = _received(bench), bench.position(drive)
                    drive.outputs.clear()
                    reason = insist(drive, AFTER, bench.motion)
                    assert reason, f"{way}: it forgot the reason: {drive.status}"
                    assert not follows(drive), f"{way}: it is reported to follow"
                    assert drive.applied is None, f"{way}: it applied {drive.applied}"
                    assert _received(bench) == received, f"{way}: the device received more commands"
                    assert near(bench, drive, stood), f"{way}: it moved on"
                before = way


def _reported_within(bench: Bench, driver: Any) -> float:
    return float(driver.lost_within if bench.reported_within is None else bench.reported_within)


def _received(bench: Bench) -> int:
    """Return the number of commands that reached the device, 0 where that cannot be observed."""
    return len(bench.received()) if bench.commanded and bench.witnessed else 0


def _attempt(order: Any) -> None:
    """Carry out what may fail, since its answer may be lost."""
    try:
        order()
    except (DeviceLost, NotStopped):
        pause(0.0)
