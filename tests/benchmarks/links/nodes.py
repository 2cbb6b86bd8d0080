"""Node to node: one node's step to the step of another in another process, through the runner, as users have it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import embodied
from embodied import Node, Ports, tunable
from embodied.errors import EmbodiedError
from embodied.graph.entry import Timing
from embodied.graph.graph import Graph
from embodied.live.launcher import Launcher
from embodied.live.run_directory import RunDirectory
from embodied.messages import Image
from embodied.node.ports import snake
from tests.benchmarks.links.lines import PATIENCE
from tests.benchmarks.links.loads import LOADS, Block, Joints, Load, Position
from tests.benchmarks.links.ours import stated
from tests.benchmarks.links.seam import Failed, Fan, Flood
from tests.benchmarks.links.worker import LEAST


@dataclass
class Near(Node):
    """Sends what comes on, until its time is up, and writes down how long each way there and back took."""

    load: int
    path: str
    in_place: bool = False
    seconds: float = tunable(0.1, low=0.0, high=60.0)

    def _ports(self) -> Ports:
        load = LOADS[self.load]
        ports = super().ports()
        for name in (*ports.inputs, *ports.outputs):
            ports = ports.refine(name, sizes=dict(stated(load).sizes))
        return ports

    def ports(self) -> Ports:
        """Of the sizes of the load."""
        return self._ports()

    def open(self) -> None:
        """Prepare a message of its own."""
        self._load = LOADS[self.load]
        self._own = self._load.make()
        self._stamp, self._touch = self._load.stamper(), self._load.toucher()
        self._times: list[int] = []
        self._begin = self._deadline = 0

    def _give(self) -> Any:
        if not self.in_place:
            return self._own
        (name,) = self._load.fields
        return self._load.kind(**{name: embodied.empty(self._load.shape, self._load.dtype)}, acquired=0)

    def _next(self, back: Any) -> Any:
        now = time.monotonic_ns()
        if back.acquired == -1:
            self._times.clear()
            self._deadline = now + round(self.seconds * 1e9)
        else:
            self._touch(back)
            now = time.monotonic_ns()
            self._times.append(now - self._begin)
        if now > self._deadline and len(self._times) >= LEAST:
            Path(f"{self.path}.new").write_text(json.dumps(self._times))
            Path(f"{self.path}.new").rename(self.path)
            return None
        self._begin = time.monotonic_ns()
        message = self._give()
        self._stamp(message, 1)
        return message


class Far(Near):
    """Sends back what comes."""

    def _next(self, back: Any) -> Any:
        self._touch(back)
        if not self.in_place:
            return back
        message = self._give()
        self._stamp(message, back.acquired)
        return message


def _kinds(kind: type[Any]) -> tuple[type[Near], type[Near]]:
    """The two ends for one type of message: their signatures are their ports."""

    def step(self: Any, message: Any) -> Any:
        return self._next(message)

    step.__annotations__ = {"message": kind, "return": kind | None}
    made = [
        type(f"{base.__name__}{kind.__name__}", (base,), {"step": step, "__module__": __name__}) for base in (Near, Far)
    ]
    return made[0], made[1]


NearPosition, FarPosition = _kinds(Position)
NearJoints, FarJoints = _kinds(Joints)
NearBlock, FarBlock = _kinds(Block)
NearImage, FarImage = _kinds(Image)

ENDS: dict[type[Any], tuple[type[Near], type[Near]]] = {
    Position: (NearPosition, FarPosition),
    Joints: (NearJoints, FarJoints),
    Block: (NearBlock, FarBlock),
    Image: (NearImage, FarImage),
}


@dataclass(frozen=True)
class Nodes:
    """Two processes of nodes, one pair for each load."""

    name: str
    in_place: bool = False
    smallest: int = 0
    floods: bool = False

    def available(self) -> str:
        """It always is."""
        return ""

    def carries(self, load: Load) -> bool:
        """Whether it is measured with such messages."""
        return load.size >= self.smallest

    def open(self, folder: Path, takers: int) -> NodesLine:
        """Start the graph."""
        return NodesLine(folder, [load for load in LOADS if self.carries(load)], self.in_place)


class NodesLine:
    """The graph, live."""

    def __init__(self, folder: Path, loads: Sequence[Load], in_place: bool) -> None:
        self._folder = folder
        graph = Graph(clock="steady")
        names: dict[str, list[str]] = {"near": [], "far": []}
        for load in loads:
            number = LOADS.index(load)
            near, far = ENDS[load.kind]
            port = snake(load.kind.__name__)
            path = str(folder / f"times{number}")
            # The latency is one of virtual time alone: without it nothing would keep the two apart in lockstep.
            wait = Timing.of(latency="1ms")
            graph.add(f"near{number}", near(number, path, in_place), timing=wait, message=f"far{number}.{port}")
            graph.add(f"far{number}", far(number, path, in_place), message=f"near{number}.{port}")
            names["near"].append(f"near{number}")
            names["far"].append(f"far{number}")
        graph.processes = tuple(tuple(group) for group in names.values())
        try:
            self._run = Launcher(graph.check(), directory=RunDirectory.create("benchmark"))
            self._run.open()
        except EmbodiedError as error:
            raise Failed(str(error)) from None
        self._homes = {end: self._run.process_of[group[0]] for end, group in names.items()}
        self.processes = [self._run.processes[self._homes[end]].pid for end in ("near", "far")]

    def ping(self, load: Load, seconds: float) -> Sequence[int]:
        """Round trips [ns]."""
        number = LOADS.index(load)
        path = self._folder / f"times{number}"
        path.unlink(missing_ok=True)
        port = snake(load.kind.__name__)
        arrays = {name: {"shape": list(load.shape), "fill": 0} for name in load.fields}
        try:
            self._run.ask(self._homes["near"], "set", node=f"near{number}", name="seconds", value=seconds)
            self._run.ask(self._homes["far"], "publish", topic=f"far{number}.{port}", fields={**arrays, "acquired": -1})
            deadline = time.monotonic() + seconds + PATIENCE
            while not path.exists():
                self._run.advance(0.05)
                if time.monotonic() > deadline or self._run.events:
                    raise Failed(f"stands still: {[event.text for event in self._run.events]}")
        except (EmbodiedError, ValueError) as error:
            raise Failed(str(error)) from None
        times: list[int] = json.loads(path.read_text())
        return times

    def flood(self, load: Load, seconds: float) -> Flood:
        """It is not flooded: a node has a rate, or a trigger."""
        raise Failed("a node has a rate, or a trigger")

    def fan(self, load: Load, rate: float, seconds: float) -> Fan:
        """It is measured between two."""
        raise Failed("measured between two")

    def close(self, orderly: bool) -> None:
        """Stop the graph."""
        self._run.close()


COPIED = Nodes("embodied node to node")
IN_PLACE = Nodes("embodied node to node, in place", in_place=True, smallest=64 * 1024)
