"""Specification of a worker process, pickled by the launcher: its nodes, its links, and the world if it has one."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from embodied.graph.entry import Timing
from embodied.graph.plan import Plan, Planned, Source, opens_world
from embodied.imports.search_path import Search, current
from embodied.links.codec import Layout
from embodied.messages.constraints import Refinement
from embodied.messages.schema import Message
from embodied.node.node import Node
from embodied.world import World


@dataclass(slots=True)
class NodeSpec:
    """Specification of a node for its worker process, where its ports are derived again."""

    name: str
    node: Node
    rate: Fraction | None
    timing: Timing
    trigger: str | None
    sources: dict[str, Source]

    @classmethod
    def of(cls, planned: Planned) -> NodeSpec:
        """Take over what another process needs of a planned node."""
        sources = dict(planned.sources)
        return cls(planned.name, planned.node, planned.rate, planned.timing, planned.trigger, sources)

    def planned(self) -> Planned:
        """Return the node as the plan has it, ready to run."""
        return Planned(self.name, self.node, self.node.ports(), self.rate, self.timing, self.trigger, self.sources)


@dataclass(slots=True)
class Output:
    """Specification of a node's output for worker processes, as both ends of a link lay it out in memory."""

    port: str
    kind: type[Message]
    refined: Refinement

    def layout(self, node: str) -> Layout:
        """Return the memory layout of its messages."""
        return Layout.of(self.kind, self.refined, f"{node}.{self.port}")


@dataclass(slots=True)
class Subscription:
    """Specification of a worker process's subscription to outputs of a node in another process.

    Attributes:
        process: name of the subscriber.
        node: name of the publisher.
        wanted: numbers of the outputs.
        bound: most bundles that may wait.
        every: whether each bundle is delivered, and not only the newest.
        lossless: whether the publisher waits for a free slot.
    """

    process: str
    node: str
    wanted: tuple[int, ...]
    bound: int = 1
    every: bool = False
    lossless: bool = False


@dataclass(slots=True)
class ProcessSpec:
    """Specification of a worker process: everything it needs before it begins.

    Attributes:
        process: name of the process.
        nodes: that run in it.
        outputs: by node, for its own nodes and those it subscribes to.
        stated: by own node and port, what its messages must fulfil.
        incoming: subscriptions to nodes of other processes.
        outgoing: subscriptions of other processes to its nodes.
        seed: everything random is drawn from it.
        world: the simulated world, in the process of its bodies and in those of its cameras.
        owns_world: whether it is the process of the bodies, in which physics advances and the verdict is given.
        listened: by own node, the outputs that have a subscriber.
        path: search path for modules.
        search: search for the packages of projects.
        remote: the other machines, in the process that reaches them; else None.
        guards: how its guards are reached without the launcher; None where it has none.
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
    search: Search = field(default_factory=current)
    remote: MachinesSpec | None = None
    guards: GuardsSpec | None = None


@dataclass(frozen=True, slots=True)
class GuardsSpec:
    """Specification of how the guards of a worker process are reached without the launcher.

    Attributes:
        directory: of the run.
        number: of the process in the run.
        every: names of all guards of the run on this machine.
    """

    directory: Path
    number: int
    every: tuple[str, ...]


@dataclass(slots=True)
class MachinesSpec:
    """Specification of a worker process's links to other machines.

    Attributes:
        machine: name of this one.
        endpoints: of all machines, by name.
        keys: the folder of this machine's keys; None is the usual one.
        machine_of: by node, its machine.
        wanted: by node, the numbers of its outputs to which another machine subscribes.
        every: by node, most messages that may wait, where each message counts.
        periods: by node, its period of publication [ns]; None where it has none.
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
        """Collect the links of one machine of a plan."""
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
    plan: Plan,
    layout: Mapping[str, Sequence[str]],
    process_of: Mapping[str, str],
    seed: int,
    replicas: Collection[str] = (),
    machine: str | None = None,
    keys: Path | None = None,
) -> dict[str, ProcessSpec]:
    """Build the specification of each worker process.

    Args:
        plan: a graph that was proven, with what live running adds to it.
        layout: by process, its nodes.
        process_of: by node, its process; nodes of other machines have the process that reaches these.
        seed: of the run.
        replicas: cameras that render in a copy of the world.
        machine: whose processes; None where the graph names no machines.
        keys: the folder of this machine's keys; None is the usual one.
    """
    stated = plan.stated()
    outputs = {
        name: [Output(o.name, o.message, stated[name][o.name]) for o in planned.ports.outputs.values()]
        for name, planned in plan.nodes.items()
    }
    links = _links(plan, process_of)
    world = plan.graph.world
    owner = _owner(plan, layout)
    specs: dict[str, ProcessSpec] = {}
    for process, nodes in layout.items():
        incoming = [link for link in links if link.process == process]
        outgoing = [link for link in links if process_of[link.node] == process]
        needed = {*nodes, *(link.node for link in (*incoming, *outgoing))}
        owns_world = process == owner
        reaches = machine is not None and not nodes and not owns_world
        specs[process] = ProcessSpec(
            process=process,
            nodes=[NodeSpec.of(plan.nodes[name]) for name in sorted(nodes)],
            outputs={name: outputs[name] for name in sorted(needed)},
            stated={name: stated[name] for name in nodes},
            incoming=incoming,
            outgoing=outgoing,
            seed=seed,
            world=world if owns_world or any(node in replicas for node in nodes) else None,
            owns_world=owns_world,
            listened={
                name: frozenset(
                    o.name for o in plan.nodes[name].ports.outputs.values() if f"{name}.{o.name}" in plan.taken
                )
                for name in nodes
            },
            remote=MachinesSpec.of(plan, machine, keys) if machine is not None and reaches else None,
        )
    return specs


def _owner(plan: Plan, layout: Mapping[str, Sequence[str]]) -> str:
    """Return the process that owns the world: the first one, if bodies live in it; else an empty text."""
    first, nodes = next(iter(layout.items()), ("", ()))
    bodies = plan.graph.world is not None and any(opens_world(plan.nodes[node].node) for node in nodes)
    return first if bodies else ""


def _links(plan: Plan, process_of: Mapping[str, str]) -> list[Subscription]:
    """List which process subscribes to which node of another process."""
    links: dict[tuple[str, str], Subscription] = {}
    wanted: dict[tuple[str, str], set[int]] = {}
    for name, planned in sorted(plan.nodes.items()):
        for port, source in sorted(planned.sources.items()):
            key = (process_of[name], source.node)
            if process_of[source.node] == process_of[name]:
                continue
            link = links.setdefault(key, Subscription(*key, ()))
            wanted.setdefault(key, set()).add(list(plan.nodes[source.node].ports.outputs).index(source.port))
            link.wanted = tuple(sorted(wanted[key]))
            if planned.ports.inputs[port].delivery == "every":
                link.bound = max(link.bound, source.bound)
                link.every = True
                link.lossless = link.lossless or source.lossless
    return list(links.values())
