"""The graph: nodes by name, and the wires between them. Wires live only here.

    graph = Graph(world=Tabletop(robot=panda))
    graph.add("arm", SimArm(panda), command="guard")
    graph.add("guard", ArmGuard(panda), command="ik", joints="arm.state")
    plan = graph.check()

A launch file gives the same object.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from embodied.clock import duration, rate_of
from embodied.errors import LaunchError, Place, Problem
from embodied.graph.faults import Fault
from embodied.graph.restart import NEVER, Restart
from embodied.node.node import Node
from embodied.node.settings import SettingError
from embodied.plain_data import describe
from embodied.world import World

if TYPE_CHECKING:
    from embodied.graph.plan import Plan

NODE_NAME = re.compile(r"[a-z][a-z0-9_]*(/[a-z][a-z0-9_]*)*")

Places = Mapping[tuple[str, ...], Place]
"""Where each part of a node stands in a file, by its keys: `("with", "kp")`, `("in", "joints")`."""

Wires = Mapping[str, Mapping[str, tuple[str, str]]]
"""By node and input, the node and the output that it is wired to."""

BOUND = 64
"""How many messages wait for a `list[T]` input unless its wire says otherwise."""


@dataclass(frozen=True, slots=True)
class Wire:
    """One input's source.

    Attributes:
        source: `node.port`, or `node` for its first output.
        max_age: beyond this age the value is stale [ns]; None: derived from the source's rate. One that is stated is
            all that counts: the value need not be of the same step as what else comes from that source.
        bound: for `list[T]`: how many wait at most; the oldest are dropped and counted.
        lossless: the source waits rather than have one dropped; ignored in lockstep.
    """

    source: str
    max_age: int | None = None
    bound: int = BOUND
    lossless: bool = False


@dataclass(frozen=True, slots=True)
class Timing:
    """When a node steps, and in virtual time how long it takes.

    Attributes:
        rate: overrides the class's rate [Hz].
        latency: a step keeps the node busy this long and its outputs appear at the end [ns]; ignored live.
        jitter: up to this much more, drawn from the seed for each step [ns].
    """

    rate: Fraction | None = None
    latency: int = 0
    jitter: int = 0

    @classmethod
    def of(cls, *, rate: object = None, latency: object = 0, jitter: object = 0) -> Timing:
        """The same from what people write: `Timing.of(rate=30, latency="15ms")`.

        Raises:
            ValueError: one of them makes no sense; the sentence says what was expected.
        """
        return cls(None if rate is None else rate_of(rate), duration(latency), duration(jitter))


@dataclass(slots=True)
class Entry:
    """A node in the graph, with its wires and where it was written.

    Attributes:
        machine: where it runs; None: on the first machine of the graph.
        restart: whether it is started again once it has ended.
    """

    name: str
    node: Node
    timing: Timing
    wires: dict[str, Wire]
    places: Places = field(default_factory=dict)
    machine: str | None = None
    restart: Restart = NEVER

    @property
    def rate(self) -> Fraction | None:
        """The rate it runs at [Hz]; None for a node that runs on its trigger."""
        if self.timing.rate is not None:
            return self.timing.rate
        return None if self.node.rate is None else rate_of(self.node.rate)

    def place(self, *keys: str) -> Place | None:
        """Where a part of it stands: the part itself, else what it is in."""
        for length in range(len(keys), -1, -1):
            if keys[:length] in self.places:
                return self.places[keys[:length]]
        return None


@dataclass(slots=True)
class Graph:
    """Nodes and wires, and the world they may live in.

    Attributes:
        world: the simulated world, None on a robot.
        clock: `lockstep` or `steady`.
        processes: names of nodes that share a process, for the live runner.
        entries: the nodes, with their wires.
        faults: what goes wrong, in lockstep.
        machines: endpoints by name, `tcp://192.168.1.10:7447`; empty where everything runs on one. In lockstep they
            are proven, and ignored.
        places: where machines and processes stand in a file.
    """

    world: World | None = None
    clock: str = "lockstep"
    processes: tuple[tuple[str, ...], ...] = ()
    entries: dict[str, Entry] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    machines: dict[str, str] = field(default_factory=dict)
    places: Places = field(default_factory=dict)

    def machine_of(self, node: str) -> str | None:
        """The machine a node runs on: its own, else the first; None where there are none."""
        return self.entries[node].machine or next(iter(self.machines), None)

    def add(
        self,
        name: str,
        node: Node,
        /,
        *,
        timing: Timing | None = None,
        on: str | None = None,
        restart: Restart | str | Mapping[str, object] = "never",
        **wires: str | Wire,
    ) -> Graph:
        """Add a node.

        Args:
            name: lower case; a namespace stands before a slash, `left/arm`.
            node: the node.
            timing: rate and latency.
            on: the machine it runs on; None: the first.
            restart: never, on-failure or always, or `{"when": "on-failure", "limit": 5, "backoff": "500ms"}`.
            wires: for each input its source, `joints="arm.state"`, or a Wire.

        Returns:
            the graph, so that calls can be chained.

        Raises:
            LaunchError: the name is taken or is not a name, or the restart makes no sense.
        """
        try:
            again = Restart.of(restart)
        except SettingError as error:
            raise LaunchError([Problem("E407", f"'{name}': {error}", help=error.help, where=f"node {name}")]) from None
        made = {port: wire if isinstance(wire, Wire) else Wire(wire) for port, wire in wires.items()}
        return self.put(Entry(name, node, timing or Timing(), made, machine=on, restart=again))

    def put(self, entry: Entry) -> Graph:
        """Add a node with everything that belongs to it; see `add`."""
        if not NODE_NAME.fullmatch(entry.name):
            message = f"'{entry.name}' is not a name for a node"
            raise LaunchError([Problem("E103", message, help=("use a-z, 0-9 and _",))])
        if entry.name in self.entries:
            raise LaunchError([Problem("E102", f"there are two nodes named '{entry.name}'")])
        try:
            entry.node.wired = frozenset(entry.wires)
            if entry.timing.rate is not None:
                entry.node.rate = entry.timing.rate
        except AttributeError as error:
            message = f"'{entry.name}' cannot be told its wires and its rate: {error}"
            raise LaunchError([Problem("E203", message, help=("a node is not a frozen dataclass",))]) from None
        self.entries[entry.name] = entry
        return self

    def fault(
        self,
        kind: str,
        target: str,
        /,
        *,
        at: object = 0,
        for_: object = None,
        **about: object,
    ) -> Graph:
        """Let something go wrong.

        Args:
            kind: silence, kill, drop, delay, stuck or noise.
            target: a node, or `node.port` for stuck and noise.
            at: when it begins: `"2s"`, or `{"from": "1s", "to": "8s"}` to have it drawn from the seed.
            for_: how long it lasts, the same way; None is to the end.
            about: what the kind needs: `share=0.2`, `by="200ms"`, or `field="position", sd=0.002`.

        Returns:
            the graph, so that calls can be chained.

        Raises:
            LaunchError: one of them makes no sense.
        """
        try:
            self.faults.append(Fault.of(kind, target, {"at": at, "for": for_, **about}))
        except SettingError as error:
            raise LaunchError([Problem("E801", str(error), help=error.help, where=f"fault {target}")]) from None
        return self

    def check(self) -> Plan:
        """Prove every wire, rate, loop and fault.

        Returns:
            the plan that a runner follows.

        Raises:
            LaunchError: with every problem found.
        """
        from embodied.graph.validate import compile_plan

        return compile_plan(self)

    def describe(self) -> dict[str, Any]:
        """The graph as plain data: equal graphs give equal descriptions, however they were built."""
        return {
            "clock": self.clock,
            "world": None if self.world is None else describe(self.world),
            "machines": dict(self.machines),
            "processes": [list(group) for group in self.processes],
            "nodes": {name: self._describe_entry(self.entries[name]) for name in sorted(self.entries)},
            "faults": [fault.describe() for fault in self.faults],
        }

    @staticmethod
    def _describe_entry(entry: Entry) -> dict[str, Any]:
        timing = entry.timing
        return {
            **describe(entry.node),
            "in": {
                port: {
                    "from": wire.source,
                    "max_age": wire.max_age,
                    "bound": wire.bound,
                    "lossless": wire.lossless,
                }
                for port, wire in sorted(entry.wires.items())
            },
            "rate": None if entry.rate is None else str(entry.rate),
            "latency": timing.latency,
            "jitter": timing.jitter,
            "on": entry.machine,
            "restart": entry.restart.describe(),
        }
