"""What every driver keeps, whatever it drives; its test inherits this and says what is on the bench.

    class TestSO101(DriverContract):
        def bench(self) -> Bench:
            return SO101Bench()

The same truths hold on a real device: `embodied driver test` asks a person to pull the plug. What a far side cannot do
is skipped by name.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np

from embodied.clock import SECOND
from embodied.devices.virtual import Unsupported
from embodied.errors import DeviceLost, NotStopped, WrongDevice
from embodied.messages.schema import Command, Vector
from embodied.testing.benches.bench import Bench
from embodied.testing.serving import Drive, pause

GRACE = 1.0
"""So much longer than stated may something take here, on a machine that does other things as well [s]."""


class DriverContract:
    """Base of every driver's test."""

    @abstractmethod
    def bench(self) -> Bench:
        """The device on a bench; a new one for each test."""
        raise NotImplementedError

    @contextmanager
    def served(self) -> Iterator[Bench]:
        """A bench whose far side is there; what that cannot do skips the test."""
        bench = self.bench()
        with bench.judged(), bench.served():
            yield bench

    @contextmanager
    def moving(self) -> Iterator[tuple[Bench, Drive]]:
        """A device in the middle of a motion."""
        with self.served() as bench:
            if not bench.commanded:
                raise Unsupported("it takes no commands")
            with bench.ready() as drive:
                drive.go(0.7, bench.motion)
                yield bench, drive

    def test_it_opens_and_closes_twice(self) -> None:
        """What is closed can be opened again, and gives new state then."""
        with self.served() as bench:
            driver: Any = bench.driver()
            for _ in range(2):
                driver.open()
                try:
                    driver.identify()
                    driver.arm()
                    drive = Drive(driver)
                    drive.go(0.5)
                    assert any(drive.outputs), "it gave nothing in half a second"
                finally:
                    driver.close()

    def test_it_says_what_it_is_and_whether_something_real_is_behind_it(self) -> None:
        """Model, and whether it is virtual; joints, their order, unit and limits are those of the launch file."""
        with self.served() as bench, bench.ready() as drive:
            identity = drive.driver.identify()
            assert identity.model
            assert identity.virtual or not bench.witnessed, f"it says that it is real: {identity}"

    def test_the_wrong_device_is_not_armed_and_hears_nothing(self) -> None:
        """The error says what differs; nothing was sent that could move it."""
        with self.served() as bench:
            for changes in bench.wrong():
                before = bench.position() if bench.commanded and bench.witnessed else None
                try:
                    with bench.ready(**changes):
                        raise AssertionError(f"it was armed with {changes}")
                except WrongDevice as error:
                    assert error.wrong
                if before is not None:
                    assert not bench.received()
                    assert _near(bench, None, before)

    def test_it_stands_still_when_nobody_commands(self) -> None:
        """Told None, it holds or comes to a controlled stop within its stated time."""
        with self.moving() as (bench, drive):
            at = bench.position(drive)
            drive.go(drive.driver.stops_within)
            stood = bench.position(drive)
            drive.go(0.5)
            assert _near(bench, drive, stood), "it went on moving"
            assert np.abs(stood - at).max() < 1.0, "it went far before it stopped"

    def test_it_stands_still_when_its_driver_falls_silent(self) -> None:
        """A driver that is not stepped any more, as when its process hangs."""
        with self.moving() as (bench, drive):
            bench.position(drive)
            pause(drive.driver.stops_within)
            stood = bench.position(drive)
            pause(0.5)
            assert _near(bench, drive, stood), "it went on moving"

    def test_what_it_says_it_applied_is_what_was_heard(self) -> None:
        """To the resolution of the wire."""
        with self.moving() as (bench, drive):
            for seconds in (0.2, 0.35):
                drive.go(seconds, bench.motion)
                applied = drive.applied
                assert applied is not None
                assert _until(lambda: bool(bench.received()) and bench.same(applied, bench.received()[-1])), (  # noqa: B023
                    f"applied {applied}, heard {bench.received()[-1:]}"
                )

    def test_no_state_is_new_twice(self) -> None:
        """What is acquired once is given once; a device that is frozen is lost, and not as it was."""
        with self.served() as bench:
            with bench.ready() as drive:
                drive.go(0.5, *_moves(bench))
                _fresh(drive)
                bench.virtual.freeze()
                _lost(drive)
            bench.virtual.thaw()
            with bench.ready() as again:
                _fresh(again)

    def test_one_that_is_unplugged_is_lost_in_time_and_does_not_continue_when_it_is_back(self) -> None:
        """`DeviceLost` within the stated time; it stands still; an old motion is not continued by a new driver."""
        with self.moving() as (bench, drive):
            bench.virtual.unplug()
            _lost(drive)
            drive.close()
            bench.virtual.plug()
            pause(drive.driver.stops_within)
            stood = bench.position()
            with bench.ready() as again:
                again.go(0.5)
                assert _near(bench, again, stood), "it moved before it was told to"
                # Its motion begins anew, so by now it is on the way to where that begins.
                again.go(bench.reaction, bench.motion)
                assert not _near(bench, again, stood), "it does not move any more"

    def test_one_that_only_measures_is_lost_in_time_and_found_again(self) -> None:
        """`DeviceLost` within the stated time, and new state once it is back."""
        with self.served() as bench:
            if bench.commanded:
                raise Unsupported("it takes commands: see the test above")
            with bench.ready() as drive:
                drive.go(0.5)
                bench.virtual.unplug()
                _lost(drive)
            bench.virtual.plug()
            with bench.ready() as again:
                _fresh(again)

    def test_what_is_not_finite_or_beyond_the_limits_never_reaches_the_wire(self) -> None:
        """Whole or in part; and the driver goes on."""
        with self.moving() as (bench, drive):
            commands = bench.forbidden()
            assert commands, "the bench names none"
            for command in commands:
                drive.go(0.1, lambda _: command)  # noqa: B023
                applied = drive.applied
                assert applied is None or bench.allowed(applied), f"applied {applied}"
            drive.go(0.3, bench.motion)
            assert drive.applied is not None
            for heard in bench.received() if bench.witnessed else ():
                assert bench.allowed(heard), f"heard {heard}"

    def test_frames_that_are_disturbed_are_rejected_and_counted(self) -> None:
        """No state is made from them, and the driver survives them."""
        with self.served() as bench:
            if not bench.virtual.disturbances:
                raise Unsupported("nothing on this wire can be disturbed without the device being lost")
            for how in bench.virtual.disturbances:
                with bench.ready() as drive:
                    drive.go(0.2, *_moves(bench))
                    bench.virtual.disturb(how)
                    drive.go(0.7, *_moves(bench))
                    bench.virtual.disturb("")
                    drive.go(0.2, *_moves(bench))
                    _fresh(drive)
                    status = drive.status
                    assert status is not None
                    assert status.rejected > 0, f"nothing was rejected of '{how}'"
                    for position in _positions(drive):
                        assert np.isfinite(position).all()
                        assert np.abs(position - bench.position(drive)).max() < 0.5, f"'{how}' was taken for a state"

    def test_the_emergency_stop_is_read_back_and_its_release_lets_nothing_move(self) -> None:
        """Pressed on the device, the driver says so and applies nothing; a person has to arm it again."""
        with self.moving() as (bench, drive):
            bench.virtual.press_stop()
            drive.go(drive.driver.lost_within + 0.2, bench.motion)
            assert drive.status is not None
            assert drive.status.state == "stopped", drive.status
            assert drive.applied is None
            stood = bench.position(drive)
            bench.virtual.release_stop()
            drive.go(0.5, bench.motion)
            assert drive.applied is None
            assert _near(bench, drive, stood), "it moved when the stop was released"
            drive.driver.arm()
            drive.go(0.7, bench.motion)
            assert drive.applied is not None

    def test_it_is_told_to_halt_and_reads_back_that_it_stands(self) -> None:
        """Nothing moves it until it is armed again."""
        with self.moving() as (bench, drive):
            drive.driver.halt()
            assert not bench.witnessed or bench.virtual.stopped()
            drive.go(0.2, bench.motion)
            assert drive.applied is None, "it went on without being armed again"
            drive.driver.arm()
            drive.go(0.3, bench.motion)
            assert drive.applied is not None

    def test_a_device_that_only_says_that_it_stops_is_not_believed(self) -> None:
        """`NotStopped`, so that a person comes."""
        with self.moving() as (bench, drive):
            bench.virtual.ignore_stop()
            try:
                drive.driver.halt()
            except NotStopped:
                return
            raise AssertionError("it believed a device that did not stop")

    def test_it_stands_still_once_it_is_closed(self) -> None:
        """Closed in the middle of a motion."""
        with self.moving() as (bench, drive):
            bench.position()
            drive.close()
            pause(drive.driver.stops_within)
            stood = bench.position()
            pause(0.5)
            assert _near(bench, None, stood)


def _moves(bench: Bench) -> list[Callable[[float], Command]]:
    """The motion of a bench, where there is one."""
    return [bench.motion] if bench.commanded else []


def _near(bench: Bench, drive: Drive | None, stood: Vector) -> bool:
    return bool(np.abs(bench.position(drive) - stood).max() <= bench.tolerance)


def _until(true: Callable[[], bool]) -> bool:
    """Whether it becomes true within the grace."""
    end = time.monotonic() + GRACE
    while not true():
        if time.monotonic() > end:
            return False
        pause(0.01)
    return True


def _acquired(drive: Drive) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for step in drive.outputs:
        for port, message in step.items():
            if hasattr(message, "acquired"):
                found.setdefault(port, []).append(message.acquired)
    return found


def _positions(drive: Drive) -> list[Vector]:
    states = [step["state"] for step in drive.outputs if "state" in step]
    return [state.position for state in states if hasattr(state, "position")]


def _fresh(drive: Drive) -> None:
    """It gives state, and none of it twice."""
    drive.go(0.3)
    found = _acquired(drive)
    assert found, "it gave nothing that says when it was acquired"
    for port, times in found.items():
        assert all(a < b for a, b in pairwise(times)), f"{port} came twice"


def _lost(drive: Drive) -> None:
    """It is lost within its stated time, and gives no state acquired after it fell silent."""
    within = drive.driver.lost_within
    began, count = drive.now, len(drive.outputs)
    try:
        drive.go(within + 2 * GRACE)
    except DeviceLost:
        assert (drive.now - began) / SECOND <= within + GRACE, "it was noticed too late"
        late = [message for step in drive.outputs[count:] for message in step.values()]
        times = [getattr(message, "acquired", 0) for message in late]
        assert all(at <= began + within * SECOND for at in times), "it gave state of a device that was silent"
        return
    raise AssertionError("it did not notice that the device is gone")
