"""What the launcher tells a worker: its nodes, and what it must know of those in other processes."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from embodied.graph.entry import Timing
from embodied.graph.plan import Plan, Planned, Source
from embodied.links.codec import Layout
from embodied.messages.constraints import Refinement
from embodied.messages.schema import Message
from embodied.node.node import Node
from embodied.world import World


@dataclass(slots=True)
class NodeSpec:
    """A node of the process; ports are read off it again there."""

    name: str
    node: Node
    rate: Fraction | None
    timing: Timing
    trigger: str | None
    sources: dict[str, Source]

    @classmethod
    def of(cls, planned: Planned) -> NodeSpec:
        """What of a planned node crosses to another process."""
        sources = dict(planned.sources)
        return cls(planned.name, planned.node, planned.rate, planned.timing, planned.trigger, sources)

    def planned(self) -> Planned:
        """The node, ready to run."""
        return Planned(self.name, self.node, self.node.ports(), self.rate, self.timing, self.trigger, self.sources)


@dataclass(slots=True)
class Output:
    """An output of some node, as both ends of a link must lay it out."""

    port: str
    kind: type[Message]
    refined: Refinement

    def layout(self, node: str) -> Layout:
        """Where its fields lie."""
        return Layout.of(self.kind, self.refined, f"{node}.{self.port}")


@dataclass(slots=True)
class Subscription:
    """A process that takes outputs of a node in another.

    Attributes:
        process: who takes.
        node: whose outputs.
        wanted: numbers of the outputs.
        bound: how many bundles may wait.
        every: each is delivered, and not only the newest.
        lossless: the publisher waits for room.
    """

    process: str
    node: str
    wanted: tuple[int, ...]
    bound: int = 1
    every: bool = False
    lossless: bool = False


@dataclass(slots=True)
class ProcessSpec:
    """Everything a worker is told before it begins.

    Attributes:
        process: its name.
        nodes: that run in it.
        outputs: by node, for its own nodes and those it takes from.
        stated: by own node and port, what messages are held to.
        incoming: subscriptions to nodes of other processes.
        outgoing: subscriptions of other processes to its nodes.
        seed: everything random is drawn from it.
        world: the simulated world, in the process of its bodies and in those of its cameras.
        owns_world: it is the process of the bodies: physics advances here, and the verdict is given.
        listened: by own node, the outputs that someone takes.
        path: where modules are found.
        remote: what the process that reaches other machines must know of them; None in all others.
    """

    process: str
    nodes: list[NodeSpec]
    outputs: dict[str, list[Output]]
    stated: dict[str, dict[str, Refinement]]
    incoming: list[Subscription]
    outgoing: list[Subscription]
    seed: int
    world: World | None = None
    owns_world: bool = False
    listened: dict[str, frozenset[str]] = field(default_factory=dict)
    path: list[str] = field(default_factory=lambda: list(sys.path))
    remote: MachinesSpec | None = None


@dataclass(slots=True)
class MachinesSpec:
    """What is to be known of other machines.

    Attributes:
        machine: this one.
        endpoints: of all, by name.
        keys: the folder of this machine's keys; None is the usual one.
        machine_of: by node, its machine.
        wanted: by node, the numbers of its outputs to which another machine subscribes.
        every: by node, how many may wait, where each message counts.
        periods: by node, how often it publishes [ns].
    """

    machine: str
    endpoints: dict[str, str]
    keys: Path | None
    machine_of: dict[str, str]
    wanted: dict[str, tuple[int, ...]]
    every: dict[str, int]
    periods: dict[str, int | None]

    @classmethod
    def of(cls, plan: Plan, machine: str, keys: Path | None) -> MachinesSpec:
        """The same for one machine of a plan."""
        machine_of = {name: planned.machine or machine for name, planned in plan.nodes.items()}
        wanted: dict[str, set[int]] = {}
        every: dict[str, int] = {}
        for name, planned in plan.nodes.items():
            for port, source in planned.sources.items():
                if machine_of[source.node] == machine_of[name]:
                    continue
                index = list(plan.nodes[source.node].ports.outputs).index(source.port)
                wanted.setdefault(source.node, set()).add(index)
                if machine_of[name] == machine and planned.ports.inputs[port].delivery == "every":
                    every[source.node] = max(every.get(source.node, 1), source.bound)
        return cls(
            machine=machine,
            endpoints=dict(plan.graph.machines),
            keys=keys,
            machine_of=machine_of,
            wanted={node: tuple(sorted(indices)) for node, indices in wanted.items()},
            every=every,
            periods=dict(plan.periods),
        )


def process_specs(
    plan: Plan, layout: Mapping[str, Sequence[str]], home: Mapping[str, str], seed: int
) -> dict[str, ProcessSpec]:
    """What each process is told.

    Args:
        plan: a graph that was proven, with what live running adds to it.
        layout: by process, its nodes.
        home: by node, its process; nodes of other machines have the process that reaches these.
        seed: everything random is drawn from it.
    """
    stated = plan.stated()
    outputs = {
        name: [Output(o.name, o.message, stated[name][o.name]) for o in planned.ports.outputs.values()]
        for name, planned in plan.nodes.items()
    }
    links = _links(plan, home)
    made: dict[str, ProcessSpec] = {}
    for process, nodes in layout.items():
        incoming = [link for link in links if link.process == process]
        outgoing = [link for link in links if home[link.node] == process]
        needed = {*nodes, *(link.node for link in (*incoming, *outgoing))}
        made[process] = ProcessSpec(
            process=process,
            nodes=[NodeSpec.of(plan.nodes[name]) for name in sorted(nodes)],
            outputs={name: outputs[name] for name in sorted(needed)},
            stated={name: stated[name] for name in nodes},
            incoming=incoming,
            outgoing=outgoing,
            seed=seed,
            listened={
                name: frozenset(
                    o.name for o in plan.nodes[name].ports.outputs.values() if f"{name}.{o.name}" in plan.taken
                )
                for name in nodes
            },
        )
    return made


def _links(plan: Plan, home: Mapping[str, str]) -> list[Subscription]:
    """Which process takes what from which node of another process."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for name, planned in sorted(plan.nodes.items()):
        for port, source in sorted(planned.sources.items()):
            if home[source.node] == home[name]:
                continue
            link = found.setdefault(
                (home[name], source.node), {"wanted": set(), "bound": 1, "every": False, "lossless": False}
            )
            link["wanted"].add(list(plan.nodes[source.node].ports.outputs).index(source.port))
            if planned.ports.inputs[port].delivery == "every":
                link["bound"] = max(link["bound"], source.bound)
                link["every"] = True
                link["lossless"] = link["lossless"] or source.lossless
    return [
        Subscription(process, node, tuple(sorted(link["wanted"])), link["bound"], link["every"], link["lossless"])
        for (process, node), link in found.items()
    ]
