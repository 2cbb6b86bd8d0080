from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from embodied import SECOND, Time
from embodied.errors import LaunchError
from embodied.graph.entry import Timing, Wire
from embodied.graph.graph import Graph
from embodied.graph.restart import Restart
from embodied.launch import Overrides, load
from embodied.runtime.lockstep import Lockstep
from tests.embodied.nodes import Clock, Hold, Motor, PassGuard, Ramp

NODES = "tests.embodied.nodes"

CELL = f"""\
embodied: 1
args: {{gain: 10}}
clock: lockstep
nodes:
  clock: {{use: "{NODES}:Clock", rate: 50}}
  hold:
    use: "{NODES}:Hold"
    with: {{goal: [1, 2], kp: "${{args.gain}}"}}
    in: {{joints: clock}}
profiles:
  sim:
    nodes:
      hold: {{with: {{kp: 20}}, latency: 5ms}}
  fast:
    base: sim
    nodes:
      hold: {{with: {{kd: 1}}, latency: null}}
      clock: {{rate: 100}}
  bare:
    nodes:
      hold: null
"""


def write(folder: Path, text: str, name: str = "cell.yaml") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def hold(graph: Graph) -> Hold:
    node = graph.entries["hold"].node
    assert isinstance(node, Hold)
    return node


def test_file_profile_site_swap_and_set_lie_over_each_other_in_this_order(tmp_path: Path) -> None:
    file = write(tmp_path, CELL)
    site = write(tmp_path, "embodied: 1\nnodes: {hold: {with: {kp: 30}}}\n", "site.yaml")
    assert hold(load(file).graph()).kp == 10
    assert hold(load(file).graph("sim")).kp == 20
    assert hold(load(file, Overrides(site=site)).graph("sim")).kp == 30
    assert hold(load(file, Overrides(site=site, sets=("hold.kp=40",))).graph("sim")).kp == 40
    swapped = Overrides(site=site, swaps=("hold=tests.embodied.launch.other:Soft",), sets=("hold.goal=[3]",))
    soft = load(file, swapped).graph("sim").entries["hold"].node
    assert type(soft).__name__ == "Soft"
    assert soft.goal.tolist() == [3.0]  # type: ignore[attr-defined]


def test_a_new_use_drops_the_old_settings_and_keeps_the_wires(tmp_path: Path) -> None:
    file = write(tmp_path, CELL)
    graph = load(file, Overrides(swaps=(f"hold={NODES}:Double",))).graph("sim")
    assert type(graph.entries["hold"].node).__name__ == "Double"
    assert graph.entries["hold"].wires == {"joints": Wire("clock")}
    same = load(file, Overrides(swaps=(f"hold={NODES}:Hold",))).graph("sim")
    assert hold(same).kp == 20


def test_a_profile_is_based_on_another_and_null_removes(tmp_path: Path) -> None:
    launch = load(write(tmp_path, CELL))
    assert launch.profiles == ("sim", "fast", "bare")
    fast = launch.graph("fast")
    assert (hold(fast).kp, hold(fast).kd) == (20, 1)
    assert fast.entries["hold"].timing.latency == 0
    assert fast.entries["clock"].rate == 100
    assert list(launch.graph("bare").entries) == ["clock"]


def test_arguments_are_set_by_name_and_keep_their_type(tmp_path: Path) -> None:
    file = write(tmp_path, CELL)
    assert hold(load(file, Overrides(sets=("gain=12.5",))).graph()).kp == 12.5
    with pytest.raises(Exception, match="expected a number, got 'much'"):
        load(file, Overrides(sets=("gain=much",))).graph()


def test_the_environment_is_read_with_a_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path, CELL.replace("${args.gain}", "${env:EMBODIED_TEST_GAIN:-7}"))
    assert hold(load(file).graph()).kp == 7
    monkeypatch.setenv("EMBODIED_TEST_GAIN", "9")
    assert hold(load(file).graph()).kp == 9


def test_rate_latency_and_max_age_are_set_from_the_command_line(tmp_path: Path) -> None:
    file = write(tmp_path, CELL)
    sets = ("clock.rate=20", "hold.latency=3ms", "hold.joints.max_age=1s", "hold.max_age=2s")
    graph = load(file, Overrides(sets=sets)).graph()
    assert graph.entries["clock"].rate == 20
    assert graph.entries["clock"].node.rate == 20
    assert graph.entries["hold"].timing.latency == 3_000_000
    assert graph.entries["hold"].wires["joints"].max_age == SECOND
    everywhere = load(file, Overrides(sets=("hold.max_age=2s",))).graph()
    assert everywhere.entries["hold"].wires["joints"].max_age == 2 * SECOND


def test_python_and_yaml_give_the_same_graph_and_the_same_digest(tmp_path: Path) -> None:
    text = f"""\
embodied: 1
clock: lockstep
nodes:
  clock: {{use: "{NODES}:Clock", rate: 50}}
  motor: {{use: "{NODES}:Motor", in: {{command: guard}}}}
  guard: {{use: "{NODES}:PassGuard", in: {{command: {{from: ramp, max_age: 20ms}}}}}}
  ramp: {{use: "{NODES}:Ramp", in: {{joints: motor.state}}, jitter: 1ms, restart: on-failure}}
  hold: {{use: "{NODES}:Hold", with: {{goal: [1, 2], kp: 3}}, in: {{joints: clock}}, on: base}}
machines: {{arm_pc: "tcp://10.0.0.1:7447", base: "tcp://10.0.0.2:7447"}}
processes: [[guard, motor]]
faults:
  - {{silence: clock, at: 100ms, for: 50ms}}
  - {{drop: ramp, share: 0.1}}
  - {{noise: motor, field: velocity, sd: 0.01, at: {{from: 0, to: 1s}}}}
"""
    written = load(write(tmp_path, text)).graph()
    machines = {"arm_pc": "tcp://10.0.0.1:7447", "base": "tcp://10.0.0.2:7447"}
    built = Graph(processes=(("guard", "motor"),), machines=machines)
    built.add("hold", Hold(goal=np.array([1.0, 2.0]), kp=3.0), on="base", joints="clock")
    built.add("ramp", Ramp(), timing=Timing.of(jitter="1ms"), restart="on-failure", joints="motor.state")
    built.add("guard", PassGuard(), command=Wire("ramp", max_age=20_000_000))
    built.add("motor", Motor(), command="guard")
    built.add("clock", Clock(), timing=Timing.of(rate=50))
    built.fault("silence", "clock", at="100ms", for_="50ms").fault("drop", "ramp", share=0.1)
    built.fault("noise", "motor", field="velocity", sd=0.01, at={"from": 0, "to": "1s"})
    assert written.describe() == built.describe()
    digests = []
    for graph in (written, built):
        with Lockstep(graph.check(), seed=5) as run:
            run.advance(Time(SECOND))
            digests.append(run.report().digest)
    assert digests[0] == digests[1]


ARM = f"""\
embodied: 1
args: {{step: 1}}
nodes:
  motor: {{use: "{NODES}:Motor", in: {{command: guard}}}}
  guard: {{use: "{NODES}:PassGuard", in: {{command: ramp}}}}
  ramp: {{use: "{NODES}:Ramp", in: {{joints: motor.state}}, latency: "${{args.step}}ms"}}
processes: [[guard, motor]]
"""


def test_a_fragment_is_included_twice_in_two_namespaces(tmp_path: Path) -> None:
    write(tmp_path, ARM, "arms/arm.yaml")
    file = write(
        tmp_path,
        "embodied: 1\nclock: lockstep\ninclude:\n"
        "  - {file: arms/arm.yaml, namespace: left, args: {step: 2}}\n"
        "  - {file: arms/arm.yaml, namespace: right}\n",
    )
    graph = load(file).graph()
    assert sorted(graph.entries) == [
        f"{side}/{node}" for side in ("left", "right") for node in ("guard", "motor", "ramp")
    ]
    assert graph.entries["left/ramp"].timing.latency == 2_000_000
    assert graph.entries["right/ramp"].timing.latency == 1_000_000
    assert graph.entries["left/motor"].wires["command"].source == "left/guard"
    assert graph.check().nodes["left/ramp"].sources["joints"].topic == "left/motor.state"


def test_the_faults_of_two_includes_both_stand_each_in_its_namespace(tmp_path: Path) -> None:
    profile = "profiles: {sim: {faults: [{stuck: motor.state, at: 1s}]}}\n"
    write(tmp_path, f"{ARM}faults: [{{kill: ramp}}, {{silence: /clock}}]\n{profile}", "arm.yaml")
    text = "embodied: 1\nclock: lockstep\n"
    text += "include: [{file: arm.yaml, namespace: left}, {file: arm.yaml, namespace: right}]\n"
    text += f'nodes: {{clock: {{use: "{NODES}:Clock"}}}}\n'
    launch = load(write(tmp_path, text))
    assert [fault.target for fault in launch.graph().faults] == ["left/ramp", "clock", "right/ramp", "clock"]
    sim = launch.graph("sim")
    assert [fault.target for fault in sim.faults] == ["left/motor.state", "right/motor.state"]
    sim.check()


def test_the_faults_of_a_profile_stand_in_place_of_those_below_it(tmp_path: Path) -> None:
    text = CELL.replace("profiles:", "faults: [{kill: clock}]\nprofiles:")
    text += "      clock: {rate: 10}\n    faults: [{drop: clock, share: 0.5}]\n  well: {faults: null}\n"
    launch = load(write(tmp_path, text))
    assert [[str(f) for f in launch.graph(name).faults] for name in ("sim", "bare", "well")] == [
        ["kill clock"],
        ["drop clock share 0.5"],
        [],
    ]


def test_a_drop_rate_is_swept_from_the_command_line_whether_the_file_has_one_or_not(tmp_path: Path) -> None:
    sets = Overrides(sets=("clock.drop=0.4",))
    bare = load(write(tmp_path, CELL), sets).graph("sim")
    assert [fault.describe() for fault in bare.faults] == [{"drop": "clock", "at": 0, "share": 0.4}]
    text = CELL.replace("args: {", "args: {from: clock, ")
    text += 'faults: [{kill: hold, at: 1s}, {drop: "${args.from}", share: 0.1, at: 2s}]\n'
    faults = load(write(tmp_path, text), sets).graph("sim").faults
    assert [str(fault) for fault in faults] == ["kill hold at 1 s", "drop clock share 0.4 at 2 s"]


def test_machines_are_shared_by_namespaces_and_an_argument_says_where_each_runs(tmp_path: Path) -> None:
    on = ARM.replace("args: {step: 1}", "args: {step: 1, at: one}")
    for node in ("Motor", "PassGuard", "Ramp"):
        on = on.replace(f':{node}"', f':{node}", on: "${{args.at}}"')
    write(tmp_path, on, "arm.yaml")
    text = "embodied: 1\nclock: lockstep\nmachines: {one: 'tcp://10.0.0.1:7447', two: 'tcp://10.0.0.2:7447'}\n"
    text += "include: [{file: arm.yaml, namespace: left}, {file: arm.yaml, namespace: right, args: {at: two}}]\n"
    text += f'nodes: {{clock: {{use: "{NODES}:Clock"}}}}\n'
    nodes = load(write(tmp_path, text)).graph().check().nodes
    assert {name: node.machine for name, node in nodes.items()} == {
        "clock": "one",
        **dict.fromkeys(("left/guard", "left/motor", "left/ramp"), "one"),
        **dict.fromkeys(("right/guard", "right/motor", "right/ramp"), "two"),
    }


def test_two_includes_may_not_put_one_machine_at_two_places(tmp_path: Path) -> None:
    for name in "ab":
        write(tmp_path, f"embodied: 1\nmachines: {{pc: 'tcp://{name}:7447'}}\n", f"{name}.yaml")
    with pytest.raises(LaunchError, match="two includes describe the machine 'pc' differently"):
        load(write(tmp_path, CELL + "include: [a.yaml, b.yaml]\n"))


def test_machines_and_restarts_lie_over_each_other_like_all_else(tmp_path: Path) -> None:
    text = CELL.replace("nodes:\n", "machines: {pc: 'tcp://10.0.0.1:7447', base: 'tcp://10.0.0.2:7447'}\nnodes:\n", 1)
    text = text.replace("rate: 50}", "rate: 50, restart: {when: always, limit: 3}}")
    text += "  far:\n    machines: {base: 'tcp://10.0.0.3:7447'}\n    nodes: {clock: {restart: {backoff: 2s}}}\n"
    file = write(tmp_path, text)
    site = write(tmp_path, "embodied: 1\nmachines: {pc: 'tcp://10.1.0.1:7447'}\n", "site.yaml")
    sets = ("hold.on=base", "hold.restart=on-failure")
    graph = load(file, Overrides(site=site, sets=sets)).graph("far")
    assert graph.machines == {"pc": "tcp://10.1.0.1:7447", "base": "tcp://10.0.0.3:7447"}
    assert graph.entries["clock"].restart == Restart("always", 3, 2 * SECOND)
    nodes = graph.check().nodes
    assert (nodes["clock"].machine, nodes["hold"].machine) == ("pc", "base")
    assert nodes["hold"].restart == Restart("on-failure")


def test_a_wire_leaves_its_namespace_with_a_slash(tmp_path: Path) -> None:
    write(
        tmp_path,
        f'embodied: 1\nnodes: {{hold: {{use: "{NODES}:Hold", with: {{goal: [0]}}, in: {{joints: /clock}}}}}}\n',
        "part.yaml",
    )
    text = "embodied: 1\nclock: lockstep\ninclude: [{file: part.yaml, namespace: a}]\n"
    text += f'nodes: {{clock: {{use: "{NODES}:Clock"}}}}\n'
    assert load(write(tmp_path, text)).graph().check().nodes["a/hold"].sources["joints"].topic == "clock.joint_state"


def test_the_file_lies_over_what_it_includes_and_a_profile_may_remove_what_an_include_adds(tmp_path: Path) -> None:
    write(tmp_path, ARM + f'profiles: {{sim: {{nodes: {{spare: {{use: "{NODES}:Clock"}}}}}}}}\n', "arm.yaml")
    text = "embodied: 1\nclock: lockstep\ninclude: [arm.yaml]\nnodes: {ramp: {latency: 9ms}}\n"
    text += "profiles: {sim: {nodes: {ramp: {jitter: 1ms}}}, less: {base: sim, nodes: {spare: null}}}\n"
    launch = load(write(tmp_path, text))
    assert launch.graph("sim").entries["ramp"].timing == Timing.of(latency="9ms", jitter="1ms")
    assert "spare" in launch.graph("sim").entries
    assert "spare" not in launch.graph("less").entries


def test_a_path_in_a_setting_is_relative_to_the_file_it_is_written_in(tmp_path: Path) -> None:
    from tests.embodied.launch.other import Reader

    write(
        tmp_path,
        'embodied: 1\nnodes: {reader: {use: "tests.embodied.launch.other:Reader", with: {file: a.txt}}}\n',
        "deep/part.yaml",
    )
    graph = load(write(tmp_path, "embodied: 1\nclock: lockstep\ninclude: [deep/part.yaml]\n")).graph()
    node = graph.entries["reader"].node
    assert isinstance(node, Reader)
    assert node.file.resolve() == (tmp_path / "deep" / "a.txt").resolve()


def test_a_users_own_rooms_are_importable_beside_the_installed_ones(tmp_path: Path) -> None:
    write(tmp_path, "", "pyproject.toml")
    write(tmp_path, "from tests.embodied.nodes import Clock as MyClock\n", "policies/my_own_clock.py")
    text = 'embodied: 1\nclock: lockstep\nnodes: {clock: {use: "policies.my_own_clock:MyClock"}}\n'
    assert load(write(tmp_path, text, "launch/cell.yaml")).graph().check()


def test_a_reference_without_a_value_is_an_error_only_where_it_is_used(tmp_path: Path) -> None:
    unset = "${env:EMBODIED_NOT_SET}"
    write(tmp_path, f'embodied: 1\nprofiles: {{real: {{nodes: {{clock: {{rate: "{unset}"}}}}}}}}\n', "part.yaml")
    text = CELL.replace("nodes:\n", "include: [part.yaml]\nnodes:\n", 1)
    text += f'  real:\n    nodes: {{hold: {{with: {{kd: "{unset}"}}}}}}\n'
    file = write(tmp_path, text)
    assert hold(load(file).graph("sim")).kp == 20
    with pytest.raises(LaunchError) as caught:
        load(file).graph("real")
    places = sorted(problem.place.file for problem in caught.value.problems if problem.place is not None)
    assert [problem.code for problem in caught.value.problems] == ["E107", "E107"]
    assert [Path(place).name for place in places] == ["cell.yaml", "part.yaml"]
    real = load(file, Overrides(sets=("hold.kd=1", "clock.rate=20"))).graph("real")
    assert hold(real).kd == 1
    assert real.entries["clock"].rate == Fraction(20)


def test_an_argument_of_null_removes_like_a_written_null(tmp_path: Path) -> None:
    text = CELL.replace("args: {gain: 10}", "args: {gain: null}")
    assert hold(load(write(tmp_path, text)).graph()).kp == Hold.kp
