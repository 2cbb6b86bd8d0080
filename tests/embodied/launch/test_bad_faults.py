"""Every way a fault in a launch file can be wrong, with its place and the fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.embodied.launch.test_bad_input import GOOD, NODES, problems

# (the fault, code, column of the error in it, what it says, what it advises)
FAULTS = {
    "an unknown kind": ("{silense: clock}", "E103", 2, "a fault has no key 'silense'", "did you mean 'silence'?"),
    "no kind": ("{at: 1s}", "E801", 1, "a fault has one key of silence, kill, drop", "{silence: node"),
    "two kinds": ("{kill: clock, drop: clock}", "E801", 1, "got kill and drop", ""),
    "text": ("clock", "E104", 1, "a fault is a mapping", ""),
    "an unknown node": ("{kill: clok}", "E802", 8, "there is no node 'clok'", "did you mean 'clock'?"),
    "a target that is no name": ("{kill: 3}", "E104", 8, "'kill' is text; got 3", ""),
    "an unknown port": ("{stuck: motor.stat}", "E802", 9, "no output 'stat'", "did you mean 'motor.state'?"),
    "a port without a name": ("{stuck: motor.}", "E802", 9, "'motor' has no output ''", "did you mean 'motor."),
    "a node without outputs": ("{stuck: deaf}", "E802", 9, "'deaf' has no outputs", ""),
    "a port where a node belongs": ("{drop: motor.state, share: 1}", "E802", 8, "affects a node", "'drop: motor'"),
    "an unknown field": (
        "{noise: motor.state, field: positon, sd: 1}",
        "E802",
        29,
        "JointState has no field 'positon'",
        "did you mean 'position'?",
    ),
    "noise on a whole number": (
        "{noise: motor.state, field: acquired, sd: 1}",
        "E802",
        29,
        "JointState.acquired is int",
        "position, velocity, effort",
    ),
    "noise without its size": ("{noise: motor, field: position}", "E801", 9, "'noise' needs 'sd'", "add 'sd: "),
    "noise without its field": ("{noise: motor, sd: 1}", "E801", 9, "'noise' needs 'field'", "add 'field: "),
    "a delay without its length": ("{delay: clock}", "E801", 9, "'delay' needs 'by'", "add 'by: 200ms'"),
    "a drop without its share": ("{drop: clock}", "E801", 8, "'drop' needs 'share'", "add 'share: 0.2'"),
    "a share beyond one": ("{drop: clock, share: 2}", "E801", 22, "a probability from 0 to 1, got 2", ""),
    "a share below nothing": ("{drop: clock, share: -0.1}", "E801", 22, "a probability from 0 to 1, got -0.1", ""),
    "a share that is NaN": ("{drop: clock, share: .nan}", "E801", 22, "a probability from 0 to 1, got nan", ""),
    "an endless noise": ("{noise: motor, field: position, sd: .inf}", "E801", 37, "0 or more, got inf", ""),
    "a time without a unit": ("{kill: clock, at: 3}", "E801", 19, "at: expected a duration with its unit", ""),
    "a negative time": ("{kill: clock, at: -3s}", "E801", 19, "at: expected a duration with its unit", ""),
    "a range that is reversed": (
        "{silence: clock, at: {from: 3s, to: 1s}}",
        "E801",
        22,
        "the range ends at 1s, before it begins at 3s",
        "",
    ),
    "a range without an end": (
        "{silence: clock, for: {from: 3s}}",
        "E801",
        23,
        "for: expected a duration, or a range",
        "",
    ),
    "a kill that ends": ("{kill: clock, for: 1s}", "E801", 20, "'kill' has no 'for'", "write 'silence'"),
    "what another kind needs": ("{silence: clock, share: 1}", "E801", 25, "'silence' has no 'share'", "at, for"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_that_cannot_be_is_shown_with_its_place_and_the_fix(case: str, tmp_path: Path) -> None:
    fault, code, column, says, advises = FAULTS[case]
    text = GOOD + f'  deaf: {{use: "{NODES}:Listen", in: {{joints: clock}}}}\n'
    (found,) = problems(tmp_path, text + f"profiles:\n  sim:\n    faults:\n    - {fault}\n", "sim")
    assert (found.code, says in found.message) == (code, True), str(found)
    assert any(advises in line for line in found.help) or not advises, found.help
    assert found.place is not None
    assert (found.place.line, found.place.column) == (16, 6 + column), str(found)


def test_a_robot_is_not_broken_on_purpose(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, GOOD.replace("clock: lockstep", "faults: [{kill: guard}]"))
    assert (found.code, found.place and found.place.column) == ("E803", 17)
    assert "a profile with 'clock: lockstep'" in found.help[0]
