"""Contract of every driver as tests; the test of a driver inherits it and names the bench.

    class TestSO101(DriverContract):
        def bench(self) -> Bench:
            return SO101Bench()

`embodied driver test` runs the same tests on a real device, and asks a person to pull the plug. Tests of what a device
cannot do are skipped. `interference_contract` has the tests of what others do to the device meanwhile.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from embodied.devices.virtual import Unsupported
from embodied.errors import NotStopped, WrongDevice
from embodied.testing.interference_contract import InterferenceContract
from embodied.testing.observations import (
    expect_fresh,
    expect_lost,
    goes_until,
    moves,
    near,
    positions,
    rejected,
    settle,
    until,
)
from embodied.testing.serving import Drive, pause


class DriverContract(InterferenceContract):
    """Contract of every driver: base class of its test."""

    def test_it_opens_and_closes_twice(self) -> None:
        """Check that a closed driver can be opened again, and publishes new state."""
        with self.served() as bench:
            driver: Any = bench.driver()
            for _ in range(2):
                driver.open()
                try:
                    driver.identify()
                    driver.arm()
                    drive = Drive(driver)
                    assert goes_until(drive, lambda: any(drive.outputs), 0.5), "it published nothing in half a second"  # noqa: B023
                finally:
                    driver.close()

    def test_it_reports_its_model_and_whether_it_is_virtual(self) -> None:
        """Check the identity: a model, and virtual unless the device is real."""
        with self.served() as bench, bench.ready() as drive:
            identity = drive.driver.identify()
            assert identity.model
            assert identity.virtual or not bench.witnessed, f"it reports to be real: {identity}"

    def test_the_wrong_device_is_not_armed_and_receives_nothing(self) -> None:
        """Check that the error names the difference, and nothing was sent that could move it."""
        with self.served() as bench:
            for changes in bench.wrong():
                before = bench.position() if bench.commanded and bench.witnessed else None
                count = len(bench.received()) if before is not None else 0
                try:
                    with bench.ready(**changes):
                        raise AssertionError(f"it was armed with {changes}")
                except WrongDevice as error:
                    assert error.wrong
                if before is not None:
                    assert len(bench.received()) == count
                    assert near(bench, None, before)

    def test_it_stands_still_without_a_command(self) -> None:
        """Check that with None for a command it holds or stops within `stops_within`."""
        with self.moving() as (bench, drive):
            at = bench.position(drive)
            stood = settle(bench, drive, drive.driver.stops_within, drive.go)
            drive.go(0.5)
            assert near(bench, drive, stood), "it went on moving"
            assert np.abs(stood - at).max() < 1.0, "it went far before it stopped"

    def test_it_stands_still_when_its_driver_falls_silent(self) -> None:
        """Check a driver that is not stepped any more, as when its process hangs."""
        with self.moving() as (bench, drive):
            bench.position(drive)
            stood = settle(bench, drive, drive.driver.stops_within)
            pause(0.5)
            assert near(bench, drive, stood), "it went on moving"

    def test_the_applied_command_is_the_one_that_the_device_received(self) -> None:
        """Check the output `applied`, to the resolution of the protocol."""
        with self.moving() as (bench, drive):
            for seconds in (0.2, 0.35):
                drive.go(seconds, bench.motion)
                applied = drive.applied
                assert applied is not None
                assert until(lambda: bool(bench.received()) and bench.same(applied, bench.received()[-1])), (  # noqa: B023
                    f"applied {applied}, received {bench.received()[-1:]}"
                )

    def test_no_state_is_published_twice(self) -> None:
        """Check that each acquisition is published once, and that a frozen device is lost."""
        with self.served() as bench:
            with bench.ready() as drive:
                drive.go(0.5, *moves(bench))
                expect_fresh(drive)
                bench.virtual.freeze()
                expect_lost(drive)
            bench.virtual.thaw()
            with bench.ready() as again:
                expect_fresh(again)

    def test_an_unplugged_device_is_lost_in_time_and_does_not_continue_when_it_is_back(self) -> None:
        """Check `DeviceLost` within `lost_within`, and that a new driver does not continue the old motion."""
        with self.moving() as (bench, drive):
            bench.virtual.unplug()
            expect_lost(drive)
            drive.close()
            bench.virtual.plug()
            stood = settle(bench, None, drive.driver.stops_within)
            with bench.ready() as again:
                again.go(0.5)
                assert near(bench, again, stood), "it moved before it was commanded"
                # A new motion begins at its start, which is not where the device stands.
                assert goes_until(again, lambda: not near(bench, again, stood), bench.reaction + 0.5, bench.motion), (
                    "it does not move any more"
                )

    def test_an_unplugged_sensor_is_lost_in_time_and_found_again(self) -> None:
        """Check `DeviceLost` within `lost_within`, and new state once it is back."""
        with self.served() as bench:
            if bench.commanded:
                raise Unsupported("it takes commands: see the test above")
            with bench.ready() as drive:
                drive.go(0.5)
                bench.virtual.unplug()
                expect_lost(drive)
            bench.virtual.plug()
            with bench.ready() as again:
                expect_fresh(again)

    def test_commands_that_are_not_finite_or_beyond_the_limits_never_reach_the_device(self) -> None:
        """Check that no part of such a command is sent, and that the driver goes on."""
        with self.moving() as (bench, drive):
            commands = bench.forbidden()
            assert commands, "the bench has no forbidden commands"
            for command in commands:
                drive.go(0.1, lambda _: command)  # noqa: B023
                applied = drive.applied
                assert applied is None or bench.allowed(applied), f"applied {applied}"
            drive.go(0.3, bench.motion)
            assert drive.applied is not None
            for received in bench.received() if bench.witnessed else ():
                assert bench.allowed(received), f"received {received}"

    def test_disturbed_frames_are_rejected_and_counted(self) -> None:
        """Check that no state is decoded from disturbed frames, and that the driver survives them."""
        with self.served() as bench:
            if not bench.virtual.disturbances:
                raise Unsupported("its connection cannot be disturbed without the device being lost")
            with bench.ready() as drive:
                for how in bench.virtual.disturbances:
                    drive.go(0.1, *moves(bench))
                    before = rejected(drive)
                    drive.outputs.clear()
                    bench.virtual.disturb(how)
                    drive.go(0.2, *moves(bench))
                    assert goes_until(drive, lambda: rejected(drive) > before, 0.5, *moves(bench)), (  # noqa: B023
                        f"no frame was rejected after '{how}'"
                    )
                    bench.virtual.disturb("")
                    expect_fresh(drive)
                    for position in positions(drive):
                        assert np.isfinite(position).all()
                        assert np.abs(position - bench.position(drive)).max() < 0.5, (
                            f"a frame after '{how}' became a state"
                        )

    def test_the_emergency_stop_is_read_back_and_its_release_lets_nothing_move(self) -> None:
        """Check that the driver reports the stop and applies nothing until it is armed again."""
        with self.moving() as (bench, drive):
            bench.virtual.press_stop()
            within = drive.driver.lost_within + 0.2
            assert goes_until(drive, lambda: _stopped(drive), within, bench.motion), drive.status
            drive.go(0.1, bench.motion)
            assert _stopped(drive), drive.status
            assert drive.applied is None
            stood = settle(bench, drive, drive.driver.stops_within, lambda seconds: drive.go(seconds, bench.motion))
            bench.virtual.release_stop()
            drive.go(0.5, bench.motion)
            assert drive.applied is None
            assert near(bench, drive, stood), "it moved when the stop was released"
            drive.driver.arm()
            assert goes_until(drive, lambda: drive.applied is not None, 0.7, bench.motion), drive.status

    def test_halt_reads_back_that_the_device_stands(self) -> None:
        """Check that nothing moves the device after `halt` until it is armed again."""
        with self.moving() as (bench, drive):
            drive.driver.halt()
            assert not bench.witnessed or bench.virtual.stopped()
            drive.go(0.2, bench.motion)
            assert drive.applied is None, "it went on without being armed again"
            drive.driver.arm()
            assert goes_until(drive, lambda: drive.applied is not None, 0.3, bench.motion), drive.status

    def test_a_device_that_only_acknowledges_a_stop_is_noticed(self) -> None:
        """Check that `halt` raises `NotStopped`, so that a person comes."""
        noticed = False
        try:
            with self.moving() as (bench, drive):
                bench.virtual.ignore_stop()
                try:
                    drive.driver.halt()
                except NotStopped:
                    noticed = True
        except NotStopped:
            pass  # its `close` notices it as well
        assert noticed, "it did not notice that the device went on"

    def test_a_device_that_goes_on_when_its_driver_is_closed_is_noticed(self) -> None:
        """Check that `close` raises `NotStopped` with what was read, so that a run never ends as if all were well."""
        with self.moving() as (bench, drive):
            bench.virtual.ignore_stop()
            try:
                drive.close()
            except NotStopped as error:
                assert any(sign.isdigit() for sign in str(error)), f"it does not name what was read: {error}"
            else:
                raise AssertionError("it closed as if the device had stopped")

    def test_it_stands_still_once_it_is_closed(self) -> None:
        """Check a driver that is closed in the middle of a motion."""
        with self.moving() as (bench, drive):
            bench.position()
            drive.close()
            stood = settle(bench, None, drive.driver.stops_within)
            pause(0.5)
            assert near(bench, None, stood)


def _stopped(drive: Drive) -> bool:
    return drive.status is not None and drive.status.state == "stopped"
