from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.so101 import codec, control_table
from drivers.so101.codec import Frame, Instruction, Status
from drivers.so101.control_table import MIDDLE, TICKS
from drivers.so101.virtual.memory_map import FACTORY
from drivers.so101.virtual.servo import Servo

PERIOD = 0.01


def servo(lowest: int = 0, highest: int = TICKS - 1) -> Servo:
    made = Servo(1, lowest, highest, b"")
    made.put(control_table.TORQUE, 1)
    return made


def turn(moved: Servo, steps: int = 1) -> None:
    """A shaft that is where its motor wants it."""
    for _ in range(steps):
        before = moved.raw
        moved.advance(PERIOD)
        moved.raw, moved.speed = moved.target, (moved.target - before) / PERIOD


speeds = st.just(0) | st.integers(1000, 3000)
accelerations = st.just(0) | st.integers(20, 254)


@settings(max_examples=40)
@given(st.integers(0, TICKS - 1), speeds, accelerations)
def test_it_reaches_any_goal_within_its_limits_and_never_passes_it(goal: int, speed: int, acceleration: int) -> None:
    moved = servo(lowest=1000, highest=3000)
    turn(moved)
    moved.put(control_table.GOAL, goal)
    moved.put(control_table.GOAL_SPEED, speed)
    moved.put(control_table.ACCELERATION, acceleration)
    aim = min(max(goal, 1000), 3000)
    fastest = (speed or control_table.NO_LOAD / control_table.TICK) * PERIOD
    for _ in range(400):
        before = moved.target
        turn(moved)
        assert abs(moved.target - before) <= fastest + 1e-6
        assert (moved.target - aim) * (MIDDLE - aim) >= -1e-6, "it went past its goal"
    assert abs(moved.target - aim) < 1.0


def test_one_that_pushes_too_hard_for_too_long_yields_until_it_is_switched_on_again() -> None:
    moved = servo()
    turn(moved)
    moved.duty = 0.9
    turn(moved, 190)
    assert not moved.status
    turn(moved, 20)
    assert moved.status == Status.LOAD
    moved.duty = 0.0
    moved.put(control_table.GOAL, MIDDLE + 500)
    turn(moved, 100)
    assert moved.status == Status.LOAD
    assert moved.raw == MIDDLE
    moved.write(control_table.TORQUE.address, b"\1")
    turn(moved, 200)
    assert not moved.status
    assert moved.raw == pytest.approx(MIDDLE + 500)


def test_a_motor_that_is_off_is_not_overloaded_by_a_hand_that_turns_its_shaft() -> None:
    moved = servo()
    moved.put(control_table.TORQUE, 0)
    for _ in range(300):
        moved.duty = 1.0
        turn(moved)
    assert not moved.status
    assert moved.get(control_table.LOAD) == 0


def test_a_motor_that_works_hard_gets_warm_and_its_supply_sags() -> None:
    moved = servo()
    turn(moved)
    before = moved.get(control_table.TEMPERATURE), moved.get(control_table.VOLTAGE)
    moved.duty = 0.7
    turn(moved, 3000)
    assert moved.get(control_table.TEMPERATURE) > before[0] + 3
    assert moved.get(control_table.VOLTAGE) < before[1] - 4
    assert not moved.status


def test_what_it_may_not_be_told_it_keeps() -> None:
    kept = servo()
    before = [kept.get(register) for register in (control_table.MODEL, control_table.POSITION, control_table.NAMEPLATE)]
    for address in (0, control_table.POSITION.address, control_table.NAMEPLATE.address):
        assert kept.answer(codec.write(1, address, b"\x55" * 5)) == Frame(1, 0)
    assert [
        kept.get(register) for register in (control_table.MODEL, control_table.POSITION, control_table.NAMEPLATE)
    ] == before


def test_its_makers_settings_come_back_and_its_id_stays() -> None:
    kept = servo()
    kept.write(control_table.MAX_TEMPERATURE.address, bytes((50,)))
    kept.write(control_table.ID.address, bytes((9,)))
    assert kept.answer(Frame(9, Instruction.RECOVER)) == Frame(9, 0)
    assert kept.get(control_table.MAX_TEMPERATURE) == FACTORY[control_table.MAX_TEMPERATURE]
    assert kept.get(control_table.ID) == 9


def test_what_is_no_instruction_is_not_answered() -> None:
    for frame in (Frame(1, 0x77), Frame(1, Instruction.READ, b"1"), Frame(1, Instruction.WRITE, b"1")):
        assert servo().answer(frame) is None


def test_one_that_starts_anew_is_off_and_has_its_place_as_its_goal() -> None:
    moved = servo()
    moved.raw = 1234.0
    moved.put(control_table.GOAL, 3000)
    assert moved.answer(Frame(1, Instruction.REBOOT)) == Frame(1, 0)
    assert moved.get(control_table.TORQUE) == 0
    assert moved.get(control_table.GOAL) == 1234


def test_a_shaft_that_stands_in_another_turn_follows_goals_within_that_turn() -> None:
    moved = Servo(1, 0, TICKS - 1, b"")
    moved.raw = 2.5 * TICKS
    moved.put(control_table.OFFSET, -300)
    moved.put(control_table.TORQUE, 1)
    turn(moved)
    stood = moved.raw
    moved.put(control_table.GOAL, moved.get(control_table.POSITION))
    turn(moved, 20)
    assert abs(moved.raw - stood) < 1.0
    moved.put(control_table.GOAL, moved.get(control_table.POSITION) - 500)
    turn(moved, 100)
    assert abs(moved.raw - (stood - 500)) < 1.0


def test_a_hand_turns_a_shaft_whose_motor_is_off_and_no_other() -> None:
    moved = servo()
    turn(moved)
    moved.put(control_table.GOAL, MIDDLE)
    moved.hand = MIDDLE + 400.0
    turn(moved, 50)
    assert abs(moved.raw - MIDDLE) < 1.0
    moved.put(control_table.TORQUE, 0)
    turn(moved)
    moved.hand = MIDDLE + 400.0
    turn(moved, 10)
    assert MIDDLE < moved.raw < MIDDLE + 200
    turn(moved, 40)
    assert moved.raw == MIDDLE + 400
    # Switched on, it begins where it was taken, and the hand is gone.
    moved.put(control_table.GOAL, MIDDLE + 400)
    moved.put(control_table.TORQUE, 1)
    turn(moved, 20)
    assert abs(moved.raw - MIDDLE - 400) < 1.0
    assert moved.hand is None
