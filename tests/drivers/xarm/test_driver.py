"""What the driver of the xArm does beyond the contract that all drivers keep.

Laws: an order that was sent may have been carried out; a stop is read back, also by `close`; `applied` is what the box
took; and the arm is sent nowhere from a place where nobody here has sent it. Closing takes less time than a process of
a run is given to stop, whatever the threads of the SDK are doing.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drivers.xarm import XArm
from drivers.xarm.codec import Register
from drivers.xarm.virtual import VirtualXArm
from embodied.errors import DeviceInUse, NotStopped
from embodied.live.supervisor import STOP_TIMEOUT
from embodied.messages import GripperState, JointCommand
from embodied.testing.serving import pause
from tests.drivers.kinematic import KinematicWorld
from tests.drivers.xarm.bench import PORT, XArm7Bench, address
from tests.embodied.robots import robot

ROBOT = robot("xarm6")
ROOT = Path(__file__).parents[3]
HOME = ROBOT.limit("home")


class Bench(XArm7Bench):
    """A six-jointed arm with a plain body."""

    robot = ROBOT
    joint = 0

    def __init__(self, gripper: str = "xarm") -> None:
        self.virtual = self.box = VirtualXArm(ROBOT, host=address(), port=PORT, gripper=gripper)
        self.world = KinematicWorld(ROBOT)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    with made.served():
        yield made


def test_closing_an_arm_that_goes_on_is_noticed(bench: Bench) -> None:
    with pytest.raises(NotStopped, match=r"was commanded to stop, and reports state"), bench.ready() as drive:
        drive.go(0.3, bench.motion)
        bench.box.ignore_stop()


@contextmanager
def mute(bench: Bench) -> Iterator[None]:
    """Have the box carry out requests and read state, errors and joints without an answer, for a third of a second."""
    server: Any = bench.box._server
    server.withhold(frozenset({Register.GET_STATE, Register.ERROR, Register.JOINTS, Register.EFFORT}))
    again = threading.Timer(0.35, server.withhold, [frozenset()])
    again.start()
    yield
    again.join()


def test_without_an_answer_the_box_is_asked_again_while_it_is_armed_and_stopped(bench: Bench) -> None:
    with bench.ready() as drive:
        driver: Any = drive.driver
        with mute(bench):
            driver.arm()
        drive.go(0.2, bench.motion)
        assert drive.applied is not None
        with mute(bench):
            driver.halt()
        assert bench.box.stopped()


def test_an_arm_whose_report_port_was_lost_is_stopped_and_closed_as_soon_as_any(bench: Bench) -> None:
    with bench.ready() as drive:
        drive.go(0.2, bench.motion)
        driver: Any = drive.driver
        sdk = driver._arm._arm
        sdk._stream_report.close()
        deadline = time.monotonic() + 5.0
        while sdk.reported and time.monotonic() < deadline:
            pause(0.01)
        assert not sdk.reported
        # Its thread sees that within a millisecond or two, and then sleeps 2 s before it connects again.
        pause(0.05)
        begin = time.monotonic()
        driver.close()
        assert time.monotonic() - begin < STOP_TIMEOUT
        assert bench.box.stopped()


def test_after_another_client_the_arm_is_sent_nowhere_until_it_is_armed_and_then_from_where_it_stands(
    bench: Bench,
) -> None:
    with bench.ready() as drive:
        drive.go(0.3, bench.motion)
        bench.intrusions()["another client moves it and restores the mode"]()
        received = len(bench.received())
        drive.go(0.1, bench.motion)
        assert len(bench.received()) == received
        assert drive.status is not None
        assert drive.status.reason.startswith(("it is in mode 0", "joint1 is at")), drive.status.reason
        drive.driver.arm()
        stood = bench.position()
        drive.go(0.05, lambda _: JointCommand(position=HOME))
        first = bench.received()[received]
        assert isinstance(first, JointCommand)
        assert first.position is not None
        step = ROBOT.limit("velocity") / 100.0
        assert np.all(np.abs(first.position - stood) <= step + 1e-3)


def test_without_a_gripper_none_is_commanded_or_published_and_the_arm_moves() -> None:
    bench = Bench(gripper="none")
    with bench.served(), bench.ready(gripper="none") as drive:
        drive.go(0.3, bench.motion)
        assert isinstance(drive.applied, JointCommand)
        assert drive.applied.position is not None
        assert drive.applied.gripper is None
        assert drive.newest(GripperState) is None


def test_a_gripper_that_is_not_there_is_named_when_the_arm_would_be_armed() -> None:
    bench = Bench(gripper="none")
    with bench.served(), pytest.raises(NotStopped, match=r"C19: nothing answers .* set `gripper: none`"), bench.ready():
        pass


def test_a_gripper_is_one_that_there_is() -> None:
    assert list(XArm(ROBOT, "127.0.0.1", gripper="robotiq").check()) == [
        "gripper must be one of xarm, none, got 'robotiq'"
    ]


def test_what_the_gripper_did_not_take_is_not_applied(bench: Bench) -> None:
    with bench.ready() as drive:
        drive.go(0.3, bench.motion)
        bench.box.unplug_gripper(True)
        drive.outputs.clear()
        drive.go(0.3, lambda _: JointCommand(position=HOME, gripper=0.01))
        applied = [message for step in drive.outputs for message in step.values() if isinstance(message, JointCommand)]
        assert not [each for each in applied if each.gripper is not None and abs(each.gripper - 0.01) < 1e-4]
        assert drive.status is not None
        assert drive.status.state == "fault"
        assert drive.status.reason.startswith("C19")


def test_a_box_that_a_driver_has_is_refused_to_a_second_one_of_this_and_of_another_process(bench: Bench) -> None:
    script = (
        "from drivers.xarm import XArm; from tests.embodied.robots import robot; "
        f"XArm(robot('xarm6'), '{bench.box.host}', {PORT}).open()"
    )
    with bench.ready() as drive:
        drive.go(0.1, bench.motion)
        with pytest.raises(DeviceInUse, match=f"the xArm at {bench.box.host}:{PORT} is in use by another driver"):
            bench.driver().open()  # type: ignore[attr-defined]
        other = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
        assert f"is in use by process {os.getpid()}" in other.stderr
        drive.go(0.1, bench.motion)
        assert drive.applied is not None
        assert drive.status is not None
        assert drive.status.state == "ready"


def test_a_run_of_two_arms_is_two_boxes() -> None:
    first, second = Bench(), Bench()
    with first.served(), second.served(), first.ready() as one, second.ready() as other:
        one.go(0.2, first.motion)
        other.go(0.2, second.motion)
        assert one.applied is not None
        assert other.applied is not None
