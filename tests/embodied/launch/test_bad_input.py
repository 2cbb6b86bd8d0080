"""Every way a launch file can be wrong: one clear error with its place, what was expected, and the fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from embodied.errors import LaunchError, Problem
from embodied.launch import Overrides, load

NODES = "tests.embodied.nodes"

GOOD = f"""\
embodied: 1
clock: lockstep
nodes:
  clock: {{use: "{NODES}:Clock"}}
  hold:
    use: "{NODES}:Hold"
    with: {{goal: [0.0, 1.0]}}
    in: {{joints: clock}}
  motor: {{use: "{NODES}:Motor", in: {{command: guard}}}}
  guard: {{use: "{NODES}:PassGuard", in: {{command: ramp}}}}
  ramp: {{use: "{NODES}:Ramp", in: {{joints: motor.state}}}}
"""


def problems(folder: Path, text: str, profile: str | None = None, **overrides: tuple[str, ...]) -> list[Problem]:
    """List the problems of a launch file, of which there must be at least one."""
    file = folder / "cell.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(LaunchError) as caught:
        load(file, Overrides(**overrides)).graph(profile).check()  # type: ignore[arg-type]
    for problem in caught.value.problems:
        assert "Traceback" not in str(problem)
    return list(caught.value.problems)


def test_the_file_that_all_cases_start_from_is_right(tmp_path: Path) -> None:
    file = tmp_path / "cell.yaml"
    file.write_text(GOOD, encoding="utf-8")
    assert len(load(file).graph().check().nodes) == 5


# (what is replaced, by what, code, line:column of the error, what it says, what it advises)
CASES = {
    "YAML syntax": ("{goal: [0.0, 1.0]}", "{goal: [0.0, 1.0}", "E101", "7:", "not YAML", ""),
    "a reference without quotes": ("[0.0, 1.0]", "${args.goal}", "E101", "7:", "not YAML", "quote it"),
    "a tab": ("    with:", "\twith:", "E101", "7:", "not YAML", "indent with spaces"),
    "a duplicate key": ("  ramp:", "  clock:", "E102", "11:3", "the key 'clock' stands here twice", ""),
    "an unknown key of the file": ("nodes:", "nodez:", "E103", "3:1", "no key 'nodez'", "did you mean 'nodes'?"),
    "an unknown key of a node": ("    with:", "    wiht:", "E103", "7:5", "no key 'wiht'", "did you mean 'with'?"),
    "an unknown setting": ("goal:", "gaol:", "E103", "7:12", "Hold has no setting 'gaol'", "did you mean 'goal'?"),
    "a list where a mapping belongs": ("{joints: clock}", "[joints]", "E104", "8:9", "'in' is a mapping", ""),
    "a node that is no mapping": ("  hold:\n    use", "  hold: 3\n  other:\n    use", "E104", "5:9", "got 3", ""),
    "no version": ("embodied: 1\n", "", "E109", "1:1", "does not say its version", "begin the file with 'embodied: 1'"),
    "another version": ("embodied: 1", "embodied: 2", "E109", "1:11", "version 2", ""),
    "an anchor": ("{goal:", "&a {goal:", "E106", "7:11", "anchors and aliases", "use 'args:'"),
    "a tag": ("[0.0, 1.0]", '!!python/object/apply:os.system ["true"]', "E106", "7:18", "tags", "remove the tag"),
    "an unknown argument": ("[0.0, 1.0]", '"${args.goal}"', "E107", "7:18", "no argument 'goal'", "args: {goal"),
    "an unset variable": ("[0.0, 1.0]", "'${env:EMBODIED_NOT_SET}'", "E107", "7:18", "is not set", "give a default"),
    "a foreign reference": ("[0.0, 1.0]", '"${ros.pi}"', "E107", "7:18", "cannot read ${ros.pi}", "write ${args.name}"),
    "an unknown module": (f"{NODES}:Clock", "tests.embodied.nodez:Clock", "E201", "4:16", "no module", ""),
    "an unknown class": (":Clock", ":Clok", "E202", "4:16", "has no class 'Clok'", "did you mean 'Clock'?"),
    "a function of the system": (
        f"{NODES}:Clock",
        "os:system",
        "E203",
        "4:16",
        "'os:system' is not a node",
        "subclass",
    ),
    "a class that is no node": (f"{NODES}:Clock", "pathlib:Path", "E203", "4:16", "is not a node", "subclass"),
    "a path for a module": (
        f"{NODES}:Clock",
        "drivers/uvc.py:Camera",
        "E201",
        "4:16",
        "expected",
        "'drivers.uvc:Camera'",
    ),
    "no colon": (f"{NODES}:Clock", "drivers.uvc.Camera", "E201", "4:16", "expected", "'drivers.uvc:Camera'"),
    "a missing setting": (
        "    with: {goal: [0.0, 1.0]}\n",
        "",
        "E204",
        "5:3",
        "needs the setting 'goal'",
        "with: {goal",
    ),
    "a mistyped setting": ("[0.0, 1.0]", "up", "E205", "7:18", "expected a list of numbers, got 'up'", ""),
    "a mistyped part of a setting": ("[0.0, 1.0]", "[0.0, yes]", "E205", "7:18", "expected a number, got 'yes'", ""),
    "NaN": ("[0.0, 1.0]", "[0.0, .nan]", "E205", "7:18", "expected a finite number, got nan", ""),
    "infinity": ("goal: [0.0, 1.0]", "goal: [0.0, 1.0], kd: .inf", "E205", "7:34", "finite number, got inf", ""),
    "a tunable setting out of bounds": (
        "goal: [0.0, 1.0]",
        "goal: [0.0, 1.0], kp: 300",
        "E205",
        "7:34",
        "'hold': kp must be in [0, 200], got 300",
        "",
    ),
    "no driver": (f'use: "{NODES}:Motor", ', "", "E206", "9:3", "'motor' has no driver", "write 'use:"),
    "an unknown input": (
        "{joints: clock}",
        "{jionts: clock}",
        "E301",
        "8:18",
        "no input 'jionts'",
        "did you mean 'joints'?",
    ),
    "an unknown node in a wire": (
        "{joints: clock}",
        "{joints: clok}",
        "E302",
        "8:18",
        "no node 'clok'",
        "did you mean 'clock'?",
    ),
    "an unknown port in a wire": (
        "motor.state",
        "motor.stat",
        "E302",
        "11:57",
        "no output 'stat'",
        "did you mean 'motor.state'?",
    ),
    "a type mismatch": (
        "{joints: clock}",
        "{joints: ramp}",
        "E303",
        "8:18",
        "'ramp.joint_command' gives JointCommand, 'hold.joints' takes JointState",
        "write 'joints: clock.joint_state'",
    ),
    "an input that is not wired": (
        "    in: {joints: clock}\n",
        "",
        "E304",
        "5:3",
        "needs its input 'joints' (JointState)",
        "write 'joints: clock.joint_state'",
    ),
    "a negative rate": (':Clock"}', ':Clock", rate: -5}', "E401", "4:52", "above 0 and up to 100000 Hz, got -5", ""),
    "an absurd rate": (':Clock"}', ':Clock", rate: 1e9}', "E401", "4:52", "above 0 and up to 100000 Hz", ""),
    "a rate that is NaN": (':Clock"}', ':Clock", rate: .nan}', "E401", "4:52", "expected a rate", ""),
    "a command that comes too slowly": (
        'Ramp", in: {joints: motor.state}',
        'Ramp", rate: 10, in: {joints: motor.state}',
        "E404",
        "10:64",
        "comes at 10 Hz, too slow",
        "40 Hz or more",
    ),
    "a command that may be too old": (
        "{command: ramp}",
        "{command: {from: ramp, max_age: 2s}}",
        "E404",
        "10:71",
        "for 2 s after its source fell silent",
        "50 ms or less",
    ),
    "a latency without a unit": (':Clock"}', ':Clock", latency: fast}', "E405", "4:55", "such as 15ms", ""),
    "a driver without a guard": (
        "{command: guard}",
        "{command: ramp}",
        "E601",
        "9:60",
        "comes from 'ramp', which is not a guard",
        "wire it to a guard: 'command: guard'",
    ),
    "a driver that nobody commands": (
        ", in: {command: guard}",
        "",
        "E601",
        "9:3",
        "does not come from a guard",
        "wire it to a guard",
    ),
    "an unknown clock": (
        "clock: lockstep",
        "clock: lockstp",
        "E104",
        "2:8",
        "expected a clock",
        "did you mean 'lockstep'?",
    ),
    "machines that are no mapping": (
        "nodes:",
        "machines: [base]\nnodes:",
        "E104",
        "3:11",
        "'machines' is a mapping",
        "",
    ),
    "a machine called in capitals": (
        "nodes:",
        "machines: {Base: 'tcp://10.0.0.1:7447'}\nnodes:",
        "E103",
        "3:18",
        "'Base' is not a name for a machine",
        "use a-z",
    ),
    "an endpoint that is a port": ("nodes:", "machines: {base: 7447}\nnodes:", "E104", "3:18", "an endpoint", ""),
    "an endpoint of everyone": (
        "nodes:",
        "machines: {base: 'tcp://*:7447'}\nnodes:",
        "E901",
        "3:18",
        "got 'tcp://*:7447'",
        "the address by which the other machines reach it",
    ),
    "two machines at one endpoint": (
        "nodes:",
        "machines: {a: 'tcp://[fd00::1]:7447', b: 'tcp://[FD00:0::1]:7447'}\nnodes:",
        "E902",
        "3:42",
        "'a' and 'b' have the same endpoint tcp://[fd00::1]:7447",
        "another port",
    ),
    "a node on no machine": (
        ':Clock"}',
        ':Clock", on: base}',
        "E903",
        "4:50",
        "no such machine",
        "add 'machines: {base",
    ),
    "a machine that is a list": (
        "nodes:\n  clock: {",
        "args: {at: [3]}\nnodes:\n  clock: {on: '${args.at}', ",
        "E104",
        "5:15",
        "'on' is text; got a list",
        "",
    ),
    "a restart of its own": (
        ':Clock"}',
        ':Clock", restart: sometimes}',
        "E407",
        "4:55",
        "one of never, on-failure, always, got 'sometimes'",
        "known: always",
    ),
    "a restart that is a list": (
        ':Clock"}',
        ':Clock", restart: [always]}',
        "E104",
        "4:55",
        "'restart' is a mapping",
        "",
    ),
    "a restart without its when": (
        ':Clock"}',
        ':Clock", restart: {limit: 3}}',
        "E407",
        "4:55",
        "restart needs 'when'",
        "add 'when: on-failure'",
    ),
    "a restart without end": (
        ':Clock"}',
        ':Clock", restart: {when: always, limit: .inf}}',
        "E407",
        "4:77",
        "limit: expected a whole number from 1 to 100000, got inf",
        "",
    ),
    "a backoff without a unit": (
        ':Clock"}',
        ':Clock", restart: {when: always, backoff: 3}}',
        "E407",
        "4:79",
        "backoff: expected a duration with its unit",
        "",
    ),
    "a lossless that is text": (
        "{joints: clock}",
        "{joints: {from: clock, lossless: maybe}}",
        "E104",
        "8:42",
        "'lossless' is true or false; got 'maybe'",
        "",
    ),
    "a rated source that would wait": (
        "{joints: clock}",
        "{joints: {from: clock, lossless: true}}",
        "E306",
        "8:32",
        "'clock' runs at 100 Hz, and would miss its ticks",
        "leave out 'lossless'",
    ),
    "a node called in capitals": ("  hold:", "  Hold:", "E103", "5:3", "'Hold' is not a name for a node", "use a-z"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_shown_with_its_place_and_the_fix(case: str, tmp_path: Path) -> None:
    before, after, code, where, says, advises = CASES[case]
    assert before in GOOD
    found = problems(tmp_path, GOOD.replace(before, after, 1))
    first = next((problem for problem in found if problem.code == code), None)
    assert first is not None, [str(problem) for problem in found]
    assert says in first.message
    assert any(advises in line for line in first.help) or not advises, first.help
    assert first.place is not None
    assert f"{first.place.line}:{first.place.column}".startswith(where), str(first)
    assert str(first).splitlines()[1].endswith(f"cell.yaml:{first.place.line}:{first.place.column}")
