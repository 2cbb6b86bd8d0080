"""Where nodes may run, and which wires may be lossless."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embodied import Node, Ports, Time
from embodied.errors import LaunchError, Problem
from embodied.graph.endpoint import Endpoint
from embodied.graph.entry import Wire
from embodied.graph.graph import Graph
from embodied.graph.restart import Restart
from embodied.messages import Image, JointCommand, JointState, Target
from embodied.world import Verdict, World
from tests.embodied.nodes import Clock, Double, Listen, Motor, Once, PassGuard, Ramp

MACHINES = {"arm_pc": "tcp://10.0.0.1:7447", "base": "tcp://10.0.0.2:7447"}


def problems(graph: Graph) -> list[Problem]:
    with pytest.raises(LaunchError) as caught:
        graph.check()
    return list(caught.value.problems)


def cell(guard: str | None = None, motor: str | None = None, ramp: str | None = None) -> Graph:
    graph = Graph(machines=MACHINES).add("g", PassGuard(), on=guard, command="r")
    return graph.add("m", Motor(), on=motor, command="g").add("r", Ramp(), on=ramp, joints="m.state")


def test_a_node_runs_where_it_says_and_else_on_the_first_machine() -> None:
    nodes = cell(ramp="base").check().nodes
    assert {name: node.machine for name, node in nodes.items()} == {"g": "arm_pc", "m": "arm_pc", "r": "base"}
    assert Graph().add("c", Clock()).check().nodes["c"].machine is None


@pytest.mark.parametrize("clock", ["lockstep", "steady"])
def test_no_link_stands_between_a_guard_and_its_driver(clock: str) -> None:
    for graph in (cell(guard="base"), cell(motor="base")):
        graph.clock = clock
        (found,) = problems(graph)
        assert (found.code, found.where) == ("E605", "node g")
    assert cell(guard="base", motor="base").check()


@dataclass
class Sees(PassGuard):
    """A guard that goes by where the arm is."""

    def step(self, command: JointCommand | None, joints: JointState | None) -> JointCommand:  # type: ignore[override]
        return super().step(command if joints is not None else None)


def test_what_a_guard_goes_by_is_measured_on_its_machine() -> None:
    def watched(on: str | None) -> Graph:
        graph = cell(ramp="base").add("elsewhere", Motor(), on=on, command="other").add("other", PassGuard(), on=on)
        return graph.add("sees", Sees(), command="r", joints="elsewhere.state").add("n", Motor(), command="sees")

    assert watched(None).check()
    (found,) = problems(watched("base"))
    assert (found.code, found.where) == ("E605", "node sees")
    assert "'sees' on 'arm_pc' goes by 'elsewhere.state', which is measured on 'base'" in found.message
    # Anybody else may: what it takes is put on its clock.
    assert cell(ramp="base").check().nodes["r"].machine == "base"


def test_a_process_is_on_one_machine() -> None:
    graph = cell(ramp="base")
    graph.processes = (("g", "m"), ("r",))
    graph.check()
    graph.processes = (("g", "m", "r"),)
    (found,) = problems(graph)
    assert (found.code, "'g' on 'arm_pc' and 'r' on 'base'" in found.message) == ("E904", True)


class Room:
    """A world with nothing in it."""

    rate = 100.0

    def reset(self, seed: int) -> None: ...

    def advance(self, to: Time) -> None: ...

    def about(self) -> dict[str, str]:
        return {}

    def truth(self) -> dict[str, object]:
        return {}

    def verdict(self) -> Verdict | None:
        return None

    def close(self) -> None: ...


@dataclass
class Inside(Clock):
    """A clock that hangs in the world."""

    def open(self, world: World) -> None: ...


def test_a_simulated_world_is_on_one_machine_and_in_lockstep_that_is_this_one() -> None:
    graph = Graph(world=Room(), machines=MACHINES, clock="steady").add("a", Inside()).add("b", Inside(), on="base")
    (found,) = problems(graph)
    assert (found.code, found.where) == ("E703", "node b")
    graph.clock = "lockstep"
    graph.check()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("tcp://192.168.1.10:7447", ("192.168.1.10", 7447)),
        ("tcp://Arm-PC.local:1", ("arm-pc.local", 1)),
        ("tcp://[FD00:0:0::1]:65535", ("fd00::1", 65535)),
        ("tcp://localhost:80", ("localhost", 80)),
    ],
)
def test_an_endpoint_is_read_as_people_write_it(written: str, read: tuple[str, int]) -> None:
    endpoint = Endpoint.of(written)
    assert (endpoint.host, endpoint.port) == read
    assert Endpoint.of(str(endpoint)) == endpoint


@pytest.mark.parametrize(
    "written",
    [
        *(
            "",
            "tcp://",
            "tcp://host",
            "tcp://host:",
            "tcp://:7447",
            "tcp://host:0",
            "tcp://host:65536",
            "tcp://host:-1",
        ),
        *("udp://10.0.0.1:7447", "ipc:///tmp/x", "10.0.0.1:7447", "tcp://10.0.0.1:7447/x", "tcp://10.0.0.1:7447 "),
        *("tcp://*:7447", "tcp://0.0.0.0:7447", "tcp://[::]:7447", "tcp://224.0.0.1:7447", "tcp://255.255.255.255:1"),
        *("tcp://192.168.1:7447", "tcp://1.2.3.400:7447", "tcp://0x7f000001:7447", "tcp://2130706433:7447"),
        *("tcp://[fe80::1%eth0]:7447", "tcp://fd00::1:7447", "tcp://[10.0.0.1]:7447", "tcp://ho st:7447", "tcp://-a:7"),
        *("tcp://a..b:7447", "tcp://eth0;10.0.0.1:7447", "tcp://ä:7447", "tcp://" + "a" * 64 + ":7447", 7447, None),
        *(["tcp://10.0.0.1:7447"], "tcp://10.0.0.1:7447\n", "tcp://" + "a." * 127 + "a:7447"),
    ],
)
def test_what_no_other_machine_could_reach_is_no_endpoint(written: object) -> None:
    with pytest.raises(ValueError, match=r"expected an endpoint, such as tcp://192\.168\.1\.10:7447"):
        Endpoint.of(written)


@given(st.text(max_size=40) | st.from_regex(r"tcp://\[?[0-9a-fx.:%]{0,20}\]?:\d{1,6}", fullmatch=True))
def test_any_text_is_an_endpoint_or_one_clear_error(text: str) -> None:
    try:
        endpoint = Endpoint.of(text)
    except ValueError as error:
        assert "expected an endpoint" in str(error)
    else:
        assert Endpoint.of(str(endpoint)) == endpoint


def test_a_restart_from_python_is_checked_like_one_from_a_file() -> None:
    about = {"when": "on-failure", "limit": 2, "backoff": "1s"}
    assert Graph().add("a", Clock(), restart=about).check().nodes["a"].restart == Restart("on-failure", 2, 10**9)
    for wrong in ("often", {"limit": 3}, {"when": "never", "limit": 0}, {"when": "never", "pause": "1s"}):
        with pytest.raises(LaunchError, match="E407"):
            Graph().add("a", Clock(), restart=wrong)


@dataclass
class Every(Node):
    """Takes every target."""

    rate = 10.0

    def step(self, target: list[Target]) -> None: ...


@dataclass
class Latest(Node):
    """Takes the latest target."""

    rate = 10.0

    def step(self, target: Target) -> None: ...


@dataclass
class Shot(Node):
    """A picture on each target, of a stated size."""

    height: int = 240
    rendered: bool = False

    def ports(self) -> Ports:
        made = super().ports()
        return made.refine("image", rendered=self.rendered, sizes={"h": self.height, "w": 320})

    def step(self, target: Target) -> Image:
        return Image(data=np.zeros((self.height, 320, 3), np.uint8), acquired=Time(0))


@dataclass
class Look(Node):
    """Takes each picture."""

    def step(self, image: Image) -> None: ...


def test_an_event_may_be_lossless_where_every_one_is_taken() -> None:
    graph = Graph().add("a", Once()).add("b", Every(), target=Wire("a", lossless=True))
    assert graph.check().nodes["b"].sources["target"].lossless
    # The trigger of a node without a rate is taken each time as well.
    Graph().add("c", Clock()).add("d", Double(), joints="c").add("l", Listen(), joints=Wire("d", lossless=True)).check()


def test_state_is_never_lossless() -> None:
    (found,) = problems(Graph().add("c", Clock()).add("l", Listen(), joints=Wire("c", lossless=True)))
    assert (found.code, "runs at 100 Hz" in found.message) == ("E306", True)
    (found,) = problems(Graph().add("a", Once()).add("b", Latest(), target=Wire("a", lossless=True)))
    assert (found.code, "takes the latest of 'a.target'" in found.message) == ("E306", True)


def test_no_source_waits_for_another_machine() -> None:
    graph = Graph(machines=MACHINES).add("a", Once()).add("b", Every(), on="base", target=Wire("a", lossless=True))
    (found,) = problems(graph)
    assert (found.code, "'a' runs on another machine" in found.message) == ("E306", True)


def test_a_picture_is_never_lossless_and_a_small_array_may_be() -> None:
    def graph(shot: Shot) -> Graph:
        return Graph().add("a", Once()).add("s", shot, target="a").add("l", Look(), image=Wire("s", lossless=True))

    (found,) = problems(graph(Shot()))
    assert (found.code, "'data' of 's.image' has 225 KiB" in found.message) == ("E306", True)
    (found,) = problems(graph(Shot(height=2, rendered=True)))
    assert (found.code, "is rendered" in found.message) == ("E306", True)
    graph(Shot(height=2)).check()


@dataclass
class Doubt(Node):
    """A command on each state."""

    def step(self, joints: JointState) -> JointState:
        return joints


def test_whatever_feeds_a_guard_waits_for_nobody() -> None:
    graph = Graph().add("m", Motor(), command="g").add("d", Doubt(), joints="m.state").add("r", Ramp(), joints="d")
    graph.add("g", PassGuard(), command="r").add("log", Listen(), joints=Wire("d", lossless=True))
    (found,) = problems(graph)
    assert (found.code, found.where) == ("E606", "node log")
    assert "'d' would wait for 'log', and the guard 'g' for 'd'" in found.message
