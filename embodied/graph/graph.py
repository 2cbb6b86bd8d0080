"""Graph: nodes by name, and the wires between them. Wires exist nowhere else.

    graph = Graph(world=Tabletop(robot=panda))
    graph.add("arm", SimArm(panda), command="guard")
    graph.add("guard", ArmGuard(panda), command="ik", joints="arm.state")
    plan = graph.check()

A launch file gives the same object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from embodied.errors import LaunchError, Problem
from embodied.graph.entry import NODE_NAME, Entry, Timing, Wire
from embodied.graph.faults import Fault
from embodied.graph.plan import Plan
from embodied.graph.restart import Restart
from embodied.graph.spec import GraphSpec
from embodied.graph.validate.compile import compile_plan
from embodied.node.node import Node
from embodied.node.settings import SettingError


@dataclass(slots=True)
class Graph(GraphSpec):
    """Graph of nodes, wires and faults, added one by one and then validated."""

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
        """Add a node with its wires.

        Args:
            name: lower case; a namespace stands before a slash, `left/arm`.
            node: the node.
            timing: rate and latency.
            on: name of the machine it runs on; None: the first.
            restart: never, on-failure or always, or `{"when": "on-failure", "limit": 5, "backoff": "500ms"}`.
            wires: source of each input, `joints="arm.state"`, or a Wire.

        Returns:
            this graph, so that calls can be chained.

        Raises:
            LaunchError: the name is taken or malformed, or the restart policy is invalid.
        """
        try:
            again = Restart.of(restart)
        except SettingError as error:
            raise LaunchError([Problem("E407", f"'{name}': {error}", help=error.help, where=f"node {name}")]) from None
        made = {port: wire if isinstance(wire, Wire) else Wire(wire) for port, wire in wires.items()}
        return self.put(Entry(name, node, timing or Timing(), made, machine=on, restart=again))

    def put(self, entry: Entry) -> Graph:
        """Add an entry as it is; see `add`.

        Raises:
            LaunchError: the name is taken or malformed, or the node is frozen.
        """
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
            message = f"'{entry.name}' does not take its wires and its rate: {error}"
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
        """Add a fault that the lockstep runner injects.

        Args:
            kind: silence, kill, drop, delay, stuck or noise.
            target: a node, or `node.port` for stuck and noise.
            at: start: `"2s"`, or `{"from": "1s", "to": "8s"}` to have it drawn from the seed.
            for_: duration, written the same way; None: to the end of the run.
            about: parameters of the kind: `share=0.2`, `by="200ms"`, or `field="position", sd=0.002`.

        Returns:
            this graph, so that calls can be chained.

        Raises:
            LaunchError: the kind, the target or a parameter is invalid.
        """
        try:
            self.faults.append(Fault.of(kind, target, {"at": at, "for": for_, **about}))
        except SettingError as error:
            raise LaunchError([Problem("E801", str(error), help=error.help, where=f"fault {target}")]) from None
        return self

    def check(self) -> Plan:
        """Validate every wire, rate, loop and fault.

        Returns:
            the plan that a runner follows.

        Raises:
            LaunchError: with every problem found.
        """
        return compile_plan(self)
