"""A joint is measured by hand: servos that are mounted anyhow, and whatever a person may do wrong."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.so101.calibration import JointCalibration
from drivers.so101.control_table import MIDDLE, TICK, TICKS
from drivers.so101.homing import ExpectedJoint, NotMeasured, direction, measure, setting, unwrap
from embodied.launch.site import Site
from embodied.node.settings import Context, convert

# Joint limits as the SO-101's URDF has them [rad].
LIMITS = {
    "shoulder_pan": (-1.92, 1.92),
    "elbow_flex": (-1.69, 1.69),
    "wrist_roll": (-2.74, 2.84),
    "gripper": (-0.17, 1.75),
}


class Servo:
    """A servo on a joint, mounted at any of its ticks: it says where it is less its own offset, within one turn.

    Args:
        zero: its tick where the joint is at zero.
        sign: -1 where the joint turns against it.
        offset: what stands in it.
    """

    def __init__(self, zero: int, sign: int, offset: int = 0) -> None:
        self.zero, self.sign, self.offset = zero, sign, offset

    def says(self, joint: float) -> int:
        return (round(self.zero + self.sign * joint / TICK) - self.offset) % TICKS


def moved(servo: Servo, *stops: float, step: float = 0.05) -> list[int]:
    """Readings of a servo while its joint is moved from stop to stop [rad]."""
    said = []
    for start, end in pairwise(stops):
        count = max(1, math.ceil(abs(end - start) / step))
        said += [servo.says(start + (end - start) * k / count) for k in range(count + 1)]
    return said


MOUNTED = st.tuples(st.integers(0, TICKS - 1), st.sampled_from([1, -1]), st.integers(-2047, 2047))


@given(mounted=MOUNTED, joint=st.sampled_from(sorted(LIMITS)), share=st.floats(0.1, 0.9))
def test_wherever_its_servo_is_mounted_a_joint_is_where_it_is_and_never_beyond_the_end_of_the_count(
    mounted: tuple[int, int, int], joint: str, share: float
) -> None:
    lower, upper = LIMITS[joint]
    pose = lower + share * (upper - lower)
    servo = Servo(*mounted)
    stated = ExpectedJoint(pose, lower, upper, servo.sign)
    found = measure(joint, servo.says(pose), moved(servo, pose, upper, lower), stated, servo.offset)
    assert -2047 <= found.offset <= 2047
    servo.offset = found.offset
    held = found.calibration
    for k in range(21):
        true = lower + k / 20 * (upper - lower)
        tick = servo.says(true)
        assert abs(held.sign * ((tick - MIDDLE) * TICK - held.offset) - true) < 2 * TICK
        # A goal leads there by the same sum, with no turn in between.
        assert abs(MIDDLE + (held.offset + held.sign * true) / TICK - tick) < 2
    middle = servo.says((lower + upper) / 2)
    assert abs(middle - MIDDLE) <= 2
    assert held.lower == pytest.approx(lower, abs=2 * TICK)
    assert held.upper == pytest.approx(upper, abs=2 * TICK)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("zero", [0, 40, 2048, 4095])
def test_which_way_a_joint_turns_is_seen_even_over_the_end_of_the_count(sign: int, zero: int) -> None:
    servo = Servo(zero, sign)
    assert direction("elbow_flex", moved(servo, -0.4, 0.6)) == sign
    assert direction("elbow_flex", moved(servo, 0.0, -0.2, 0.6)) == sign


def refused(stops: tuple[float, ...], sign: int = 1, pose: float = 0.0, step: float = 0.05) -> NotMeasured:
    """Error for a joint whose servo is mounted the right way round, near the end of its count."""
    servo = Servo(50, 1)
    with pytest.raises(NotMeasured) as caught:
        measure(
            "shoulder_pan",
            servo.says(stops[0]),
            moved(servo, *stops, step=step),
            ExpectedJoint(pose, -1.92, 1.92, sign),
        )
    assert caught.value.help
    return caught.value


def test_a_joint_that_was_not_moved_to_both_stops_is_refused() -> None:
    error = refused((0.0, 1.9, -0.3))
    assert str(error) == "shoulder_pan goes from -0.30 to 1.90 rad, and its description has -1.92 to 1.92"
    assert error.help[0].startswith("move it to both of its stops")
    with pytest.raises(NotMeasured, match=r"from 0\.00 to 0\.00"):
        measure("shoulder_pan", 100, [], ExpectedJoint(0.0, -1.92, 1.92))


def test_a_pose_that_was_not_the_stated_one_is_refused_and_by_how_much() -> None:
    error = refused((0.5, 1.92, -1.92))
    assert "goes from -2.42 to 1.42 rad" in str(error)
    assert error.help == ("put the arm into the stated pose again, exactly: it was about 29° off",)


def test_a_joint_that_turns_the_other_way_is_told_from_a_pose_that_was_wrong() -> None:
    error = refused((0.9, 1.92, -1.92), sign=-1, pose=0.9)
    assert error.help == ("does it not turn against its servo? Move it towards its upper limit once more",)


def test_readings_too_far_apart_to_say_which_way_are_refused() -> None:
    assert "by 110° between two readings" in str(refused((0.0, 1.92, -1.92), step=2.0))
    # A recording that begins elsewhere than in the pose says nothing of where the pose was.
    with pytest.raises(NotMeasured, match="between two readings"):
        measure("elbow_flex", 3000, moved(Servo(50, 1), 0.0, 1.69, -1.69), ExpectedJoint(0.0, -1.69, 1.69))


def test_more_than_a_turn_is_refused() -> None:
    assert "was moved through 1.1 turns" in str(refused((0.0, 3.5, -3.5)))


def test_what_no_servo_says_is_refused() -> None:
    for tick in (-1, TICKS):
        with pytest.raises(NotMeasured, match=f"must be in \\[0, 4095\\], got {tick}"):
            unwrap("gripper", [0, tick])
    with pytest.raises(NotMeasured, match="moved by 0°"):
        direction("gripper", [])


def test_what_was_measured_goes_through_a_site_file_to_the_driver(tmp_path: Path) -> None:
    measured = {}
    for number, (name, (lower, upper)) in enumerate(LIMITS.items()):
        servo = Servo(700 * number, (-1) ** number)
        stated = ExpectedJoint(0.0, lower, upper, servo.sign)
        measured[name] = measure(name, servo.says(0.0), moved(servo, 0.0, upper, lower), stated)
    site = Site.read(tmp_path / "site.yaml").put("arm", "calibration", setting(measured))
    site.write()
    written = convert(dict[str, JointCalibration], setting(measured), Context())
    for name, joint in written.items():
        true = measured[name].calibration
        assert joint.sign == true.sign
        for key in ("offset", "lower", "upper"):
            assert getattr(joint, key) == pytest.approx(getattr(true, key), abs=1e-5)
    assert "        elbow_flex: {" in site.text
