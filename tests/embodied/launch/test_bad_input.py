"""Every way a launch file can be wrong: one clear error with its place, what was expected, and the fix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
    """What is found wrong with a launch file; at least one thing must be."""
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
    "a machine that is a number": (
        "nodes:\n  clock: {",
        "args: {at: 3}\nnodes:\n  clock: {on: '${args.at}', ",
        "E104",
        "5:15",
        "'on' is text; got 3",
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


def test_a_loop_of_trigger_edges_is_spelled_out(tmp_path: Path) -> None:
    text = f"""\
embodied: 1
nodes:
  one: {{use: "{NODES}:Double", in: {{joints: three}}}}
  two: {{use: "{NODES}:Double", in: {{joints: one}}}}
  three: {{use: "{NODES}:Double", in: {{joints: two}}}}
"""
    (found,) = problems(tmp_path, text)
    assert found.code == "E501"
    assert "one -> two -> three -> one" in found.message
    file = tmp_path / "cell.yaml"
    file.write_text(text.replace("joints: two}", "joints: two}, latency: 1ms"), encoding="utf-8")
    load(file).graph().check()


def test_both_places_of_a_type_mismatch_are_shown(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, GOOD.replace("{joints: clock}", "{joints: ramp}"))
    assert [place.line for place, _ in found.also] == [11]
    assert "11 |" in str(found)


def test_all_problems_of_a_file_are_reported_in_one_pass(tmp_path: Path) -> None:
    text = GOOD.replace(":Clock", ":Clok").replace("kd", "kd").replace("goal:", "gaol:").replace("Motor", "Moter")
    assert {problem.code for problem in problems(tmp_path, text)} == {"E202", "E103", "E204"}


def test_an_alias_bomb_is_refused_before_it_is_expanded(tmp_path: Path) -> None:
    bomb = "embodied: 1\na: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(20)
    )
    (found,) = problems(tmp_path, bomb)
    assert found.code == "E106"


def test_deep_nesting_and_huge_files_are_refused(tmp_path: Path) -> None:
    assert problems(tmp_path, "embodied: 1\nnodes: " + "[" * 5000 + "]" * 5000)[0].code in ("E101", "E106")
    assert "at most" in problems(tmp_path, "embodied: 1\n#" + "x" * 1_100_000)[0].message


def test_a_file_that_is_missing_binary_empty_or_a_folder_is_one_line(tmp_path: Path) -> None:
    for name, data in (("missing.yaml", None), ("binary.yaml", bytes(range(256))), ("empty.yaml", b"")):
        if data is not None:
            (tmp_path / name).write_bytes(data)
        with pytest.raises(LaunchError, match=name):
            load(tmp_path / name)
    with pytest.raises(LaunchError, match="cannot read"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("overrides", "code", "says"),
    [
        ({"sets": ("hold.kpp=3",)}, "E103", "did you mean 'kp'?"),
        ({"sets": ("hld.kp=3",)}, "E302", "did you mean 'hold'?"),
        ({"sets": ("robot=panda",)}, "E107", "a node's setting is set as node.setting=value"),
        ({"sets": ("hold.kp",)}, "E107", "write --set name=value"),
        ({"sets": ("hold.kp=fast",)}, "E205", "expected a number, got 'fast'"),
        ({"sets": ("clock.rate=-1",)}, "E401", "got -1"),
        ({"sets": ("clock.drop=2",)}, "E801", "a probability from 0 to 1, got 2"),
        ({"sets": ("clok.drop=1",)}, "E302", "did you mean 'clock'?"),
        ({"swaps": ("hld=a:B",)}, "E302", "did you mean 'hold'?"),
        ({"swaps": ("hold",)}, "E107", "write --swap node=module:Class"),
        ({"swaps": ("hold=os:system",)}, "E203", "is not a node"),
    ],
)
def test_overrides_of_the_command_line_are_checked_like_the_file(
    overrides: dict[str, Any], code: str, says: str, tmp_path: Path
) -> None:
    found = problems(tmp_path, GOOD, **overrides)[0]
    assert found.code == code
    assert says in str(found)
    assert found.place is not None
    assert found.place.file in ("--set", "--swap")


def test_a_profile_that_is_missing_circular_or_without_a_driver_says_so(tmp_path: Path) -> None:
    text = GOOD.replace(f'use: "{NODES}:Motor", ', "") + "profiles:\n"
    text += f'  real: {{nodes: {{motor: {{use: "{NODES}:Motor"}}}}}}\n  a: {{base: b}}\n  b: {{base: a}}\n'
    assert "did you mean 'real'?" in str(problems(tmp_path, text, "reel")[0])
    assert "a -> b -> a" in str(problems(tmp_path, text, "a")[0])
    found = problems(tmp_path, text)[0]
    assert found.code == "E206"
    assert "profiles that have one: real" in str(found)
    assert load(tmp_path / "cell.yaml").graph("real").check()


def test_a_missing_include_names_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "panda.yaml").write_text("embodied: 1\n", encoding="utf-8")
    found = problems(tmp_path, GOOD.replace("clock: lockstep", "include: [pandas.yaml]"))[0]
    assert found.code == "E105"
    assert "did you mean 'panda.yaml'?" in str(found)
    assert "includes itself" in str(problems(tmp_path, GOOD.replace("clock: lockstep", "include: [cell.yaml]"))[0])


def test_a_node_that_needs_a_world_without_one_says_how_to_get_it(tmp_path: Path) -> None:
    pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")
    found = problems(tmp_path, GOOD.replace(f"{NODES}:Clock", "sims.tabletop.nodes:TabletopTask"))
    assert "E702" in [problem.code for problem in found]


def test_a_missing_package_is_named_with_the_command_that_installs_it(tmp_path: Path) -> None:
    room = tmp_path / "myrobot"
    room.mkdir()
    (room / "device.py").write_text("import no_such_vendor_sdk\n", encoding="utf-8")
    found = problems(tmp_path, GOOD.replace(f"{NODES}:Clock", "myrobot.device:Arm"))[0]
    assert found.code == "E208"
    assert "-m pip install no_such_vendor_sdk" in str(found)
    assert f"asked for at {room / 'device.py'}:1" in str(found)


def test_a_module_that_cannot_be_imported_is_one_line_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "broken_module.py").write_text("def f(:\n", encoding="utf-8")
    found = problems(tmp_path, GOOD.replace(f"{NODES}:Clock", "broken_module:Arm"))[0]
    assert found.code == "E201"
    assert "SyntaxError" in found.message
    assert f"see {tmp_path / 'broken_module.py'}:1" in found.help
