"""Plan of a run: a graph after validation, as runners follow it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from embodied.clock import show
from embodied.graph.entry import Timing
from embodied.graph.faults import Fault
from embodied.graph.restart import NEVER, Restart
from embodied.graph.spec import GraphSpec
from embodied.messages.constraints import Refinement
from embodied.node.node import Node
from embodied.node.ports import Ports


@dataclass(frozen=True, slots=True)
class Source:
    """Source of an input in a plan: a node and one of its outputs, the age limit and the queue length.

    Attributes:
        node: name of the publishing node.
        port: name of its output.
        max_age: age beyond which a value is stale [ns]; None: never.
        bound: queue length of a `list[T]` input [messages].
        lossless: the source waits rather than have a message dropped; ignored in lockstep.
        apart: taken by its age alone, from whichever step; else together with the other outputs of one step.
        measured: whether a value is as old as its measurement, `acquired`, and not only as its publication.
    """

    node: str
    port: str
    max_age: int | None
    bound: int
    lossless: bool = False
    apart: bool = False
    measured: bool = False

    @property
    def topic(self) -> str:
        """Name of the topic, `node.port`."""
        return f"{self.node}.{self.port}"


@dataclass(frozen=True, slots=True)
class Planned:
    """Node in a plan, ready to run, with its sources and timing.

    Attributes:
        name: unique name of the node.
        node: the node itself.
        ports: its inputs and outputs.
        rate: [Hz], None for one that runs on its trigger, or once.
        timing: latency and jitter.
        trigger: the input whose new values make it step, None for rated nodes and those that step once.
        sources: by input; unwired optional inputs are absent.
        machine: name of the machine it runs on; None where the graph names no machines.
        restart: whether it is started again once it has ended.
    """

    name: str
    node: Node
    ports: Ports
    rate: Fraction | None
    timing: Timing
    trigger: str | None
    sources: Mapping[str, Source]
    machine: str | None = None
    restart: Restart = NEVER

    @property
    def once(self) -> bool:
        """Whether the node steps a single time, at time 0."""
        return self.rate is None and self.trigger is None


@dataclass(frozen=True, slots=True)
class Reaction:
    """Reaction time in a plan: worst-case time from a node's last message until an actuator holds.

    Attributes:
        actuator: name of the driver.
        node: name of the node that fails.
        within: bound on the reaction time [ns]; None: the actuator moves on without the node.
    """

    actuator: str
    node: str
    within: int | None

    def __str__(self) -> str:
        if self.within is not None and self.node == self.actuator:
            return f"{self.actuator} holds within {show(self.within)} of its own last state"
        if self.within is None:
            return f"{self.actuator} goes on without {self.node}"
        return f"{self.actuator} holds within {show(self.within)} of the last message of {self.node}"


@dataclass(frozen=True, slots=True)
class Plan:
    """Plan of a run: everything a runner needs, in name order.

    Attributes:
        graph: the graph as it is written.
        nodes: by name.
        reactions: by actuator and node, the time from the node's failure to the hold.
        periods: by node, time between its publications [ns]; None where that is not known, or once.
        faults: to inject, each with its full target.
    """

    graph: GraphSpec
    nodes: Mapping[str, Planned]
    reactions: tuple[Reaction, ...]
    periods: Mapping[str, int | None]
    faults: tuple[Fault, ...] = ()

    @property
    def taken(self) -> frozenset[str]:
        """Topics to which at least one node subscribes."""
        return frozenset(source.topic for node in self.nodes.values() for source in node.sources.values())

    def stated(self) -> dict[str, dict[str, Refinement]]:
        """Collect the constraints on each output, by node and port: of its node, joined with those of its subscribers.

        A message is checked against all of them, so that a frame which only a subscriber names is checked as well.
        """
        constraints = {
            name: {o.name: o.refined for o in node.ports.outputs.values()} for name, node in self.nodes.items()
        }
        for node in self.nodes.values():
            for port, source in node.sources.items():
                subscriber = node.ports.inputs[port]
                publisher = self.nodes[source.node].ports.outputs[source.port]
                if subscriber.message is publisher.message:
                    joined = constraints[source.node][source.port].joined(subscriber.refined)
                    constraints[source.node][source.port] = joined
        return constraints


def opens_world(node: Node) -> bool:
    """Return whether a planned node lives in the simulated world: its `open` takes the world."""
    opener = getattr(node, "open", None)
    return opener is not None and bool(inspect.signature(opener).parameters)
