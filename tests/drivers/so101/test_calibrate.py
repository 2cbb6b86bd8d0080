"""An arm of which everything is known is held by somebody, and measured: what is written is what is true."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from drivers.so101 import SO101, control_table, jaw
from drivers.so101.calibrate import calibrate
from drivers.so101.codec import Frame, Instruction
from drivers.so101.control_table import OFFSET, TICK
from drivers.so101.servos import IDS, NAMES
from embodied.devices.registry import Calibrated
from embodied.errors import NotCalibrated
from tests.drivers.so101.bench import ROBOT
from tests.drivers.so101.held import STOPS, TRUTH, Held, asking, kept, mounted, switched_on, true


class Hands:
    """Person who does as asked, by the joint and the stop that the line names.

    Args:
        far: the arm.
        clumsy: what else they do, once: a function of the line, which returns whether it was that.
    """

    def __init__(self, far: Held, clumsy: Callable[[str], bool] = lambda _: False) -> None:
        self.far = far
        self.clumsy = clumsy
        self.told: list[str] = []
        self.lines: list[str] = []

    def tell(self, text: str) -> None:
        self.told.append(text)

    def ask(self, text: str) -> None:
        self.tell(text)

    def waits(self, line: str, seconds: float) -> bool:
        self.lines.append(line)
        if self.clumsy(line):
            return True
        wanted = {}
        if stop := re.match(r"(\w+) to its (lower|upper) stop", line):
            wanted = {stop[1]: STOPS[stop[1]][stop[2] == "upper"]}
        elif "in the pose" in line:
            pose = dict(zip(NAMES, [*ROBOT.limit("home"), jaw.CLOSED], strict=True))
            wanted = {name: pose[name] for name in NAMES if name in line} or pose
        for name, angle in wanted.items():
            self.far.push(name, angle)
        self.far.turn(seconds)
        return all(self.far.near(name, angle) for name, angle in wanted.items())


class Shaken(Held):
    """Arm whose elbow is moved in the moment in which its new offset is written, if it is to be."""

    shaky = False

    def _answer(self, frame: Frame, speed: int) -> list[Frame]:
        if self.shaky and frame.id == 3 and frame.code == Instruction.WRITE and frame.parameters[0] == OFFSET.address:
            self.shaky = False
            self.push("elbow_flex", 1.0)
            self.turn(0.5)
        return super()._answer(frame, speed)


@pytest.fixture
def far() -> Iterator[Shaken]:
    with mounted(Shaken(ROBOT, calibration=TRUTH)) as held:
        yield held


def measured(far: Held, person: Hands, keep: Callable[[Calibrated], None]) -> None:
    calibrate(SO101(ROBOT, port=far.address), person, keep)


def test_what_is_found_is_true_of_every_joint_and_nothing_moves_by_itself(far: Held) -> None:
    person, found = Hands(far), list[Calibrated]()
    before = len(far.received())
    stood = far.position()
    far.turn(0.2)
    assert np.abs(far.position() - stood).max() < TICK
    measured(far, person, found.append)
    true(far, found[0].calibration)
    assert found[0].limits == {"shoulder_lift": {"upper": pytest.approx(1.69, abs=2 * TICK)}}
    assert found[0].limits["shoulder_lift"]["upper"] <= found[0].calibration["shoulder_lift"]["upper"]
    assert not switched_on(far)
    assert len(far.received()) == before
    # The power goes and comes: it was written where that outlives it.
    offsets = kept(far)
    far.inject("power loss")
    far.clear_faults()
    assert kept(far) == offsets


def test_the_line_says_how_far_a_joint_has_come_and_in_the_end_where_the_arm_is(far: Held) -> None:
    person = Hands(far)
    measured(far, person, lambda _: None)
    pan = [line for line in person.lines if line.startswith("shoulder_pan to its upper stop")]
    assert re.search(r" 116° from the pose, 223° of 220° so far", pan[-1]), pan[-1]
    shown = [line for line in person.lines if line.startswith("now at ")]
    angles = [float(angle) for angle in re.findall(r"([+-]\d+)°", shown[-1])]
    assert angles == pytest.approx([np.degrees(far.angle(name)) for name in NAMES], abs=0.6)


def test_a_joint_that_was_not_taken_to_its_stops_is_asked_for_again(far: Held) -> None:
    short = iter([True])

    def clumsy(line: str) -> bool:
        return line.startswith("elbow_flex to its upper stop") and next(short, False)

    person, found = Hands(far, clumsy), list[Calibrated]()
    measured(far, person, found.append)
    told = "\n".join(person.told)
    assert "elbow_flex was moved by" in told
    assert "   = help: move it by a quarter turn" in told
    assert "elbow_flex once more: put it at +47.1°" in told
    true(far, found[0].calibration)


def ends(far: Held, person: Hands, error: type[BaseException], keep: Callable[[Calibrated], None]) -> None:
    before = kept(far)
    with pytest.raises(error):
        measured(far, person, keep)
    assert kept(far) == before
    with asking(far) as motors:
        assert all(motors.read(servo, control_table.LOCK) == (1,) for servo in IDS)


@pytest.mark.parametrize("when", ["waiting until it is in the pose", "wrist_flex to its upper stop", "writing", "keep"])
def test_whatever_ends_it_the_motors_are_off_and_the_servos_keep_what_they_kept(far: Shaken, when: str) -> None:
    far.shaky = when == "writing"

    def interrupted(line: str) -> bool:
        if line.startswith(when):
            raise KeyboardInterrupt
        return False

    def keep(_: Calibrated) -> None:
        raise OSError("the disk is full")

    person = Hands(far, interrupted)
    ends(far, person, OSError if when == "keep" else KeyboardInterrupt, keep)
    assert not switched_on(far)
    *_, before, last = person.told
    assert last.endswith("its motors are off: hold it, or lay it down")
    assert "its servos keep their old offsets and limits" in (before if when in ("writing", "keep") else last)


def test_an_arm_that_does_not_count_as_its_new_offsets_have_it_keeps_the_old_ones(far: Shaken) -> None:
    far.shaky = True
    person = Hands(far)
    ends(far, person, NotCalibrated, lambda _: pytest.fail("this is not to be kept"))
    assert "its servos keep their old offsets and limits" in person.told


def test_before_the_person_holds_it_nothing_is_changed(far: Held) -> None:
    class Nobody(Hands):
        def ask(self, text: str) -> None:
            raise KeyboardInterrupt

    person = Nobody(far)
    ends(far, person, KeyboardInterrupt, lambda _: None)
    assert switched_on(far) == list(IDS)
    assert person.told == ["nothing was changed"]


def test_servos_that_control_no_position_are_refused(far: Held) -> None:
    with asking(far) as motors:
        motors.write_verified(2, control_table.MODE, 1)
    with pytest.raises(NotCalibrated, match="the servo of shoulder_lift is in mode 1"):
        measured(far, Hands(far), lambda _: None)
