"""The plan: a graph that has been proven, as runners follow it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from embodied.graph.faults import Fault
from embodied.graph.restart import NEVER, Restart
from embodied.messages.constraints import Refinement
from embodied.node.node import Node
from embodied.node.ports import Ports

if TYPE_CHECKING:
    from embodied.graph.graph import Graph, Timing
    from embodied.graph.reaction_time import Reaction


@dataclass(frozen=True, slots=True)
class Source:
    """Where an input comes from: a node and one of its outputs, how old a value may be, how many wait.

    Attributes:
        lossless: the source waits rather than have one dropped; ignored in lockstep.
        apart: taken by its age alone, of whichever step it is; else with what else came of that step.
    """

    node: str
    port: str
    max_age: int | None  # [ns]
    bound: int
    lossless: bool = False
    apart: bool = False

    @property
    def topic(self) -> str:
        """`node.port`."""
        return f"{self.node}.{self.port}"


@dataclass(frozen=True, slots=True)
class Planned:
    """A node that is ready to run.

    Attributes:
        rate: [Hz], None for one that runs on its trigger, or once.
        trigger: the input whose new values make it step, None for rated nodes and those that step once.
        sources: by input; unwired optional inputs are absent.
        machine: where it runs; None where the graph names no machines.
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
        """It steps a single time, at time 0."""
        return self.rate is None and self.trigger is None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a runner needs, in name order.

    Attributes:
        nodes: by name.
        reactions: per actuator, how long from each node's death to the hold.
        periods: by node, how often it publishes [ns]; None where that is not known, or once.
        faults: what goes wrong, each with its target spelled out.
    """

    graph: Graph
    nodes: Mapping[str, Planned]
    reactions: tuple[Reaction, ...]
    periods: Mapping[str, int | None]
    faults: tuple[Fault, ...] = ()

    @property
    def taken(self) -> frozenset[str]:
        """The topics that some node takes."""
        return frozenset(source.topic for node in self.nodes.values() for source in node.sources.values())

    def stated(self) -> dict[str, dict[str, Refinement]]:
        """What is known of each output, by node and port: what its node states, and then what its takers do.

        A message is held to all of it, so that a frame which only the taker names is checked as well.
        """
        found = {name: {o.name: o.refined for o in node.ports.outputs.values()} for name, node in self.nodes.items()}
        for node in self.nodes.values():
            for port, source in node.sources.items():
                taken = node.ports.inputs[port]
                giver = self.nodes[source.node].ports.outputs[source.port]
                if taken.message is giver.message:
                    found[source.node][source.port] = found[source.node][source.port].joined(taken.refined)
        return found


def opens_world(node: Node) -> bool:
    """Whether a node lives in the simulated world."""
    opener = getattr(node, "open", None)
    return opener is not None and bool(inspect.signature(opener).parameters)
