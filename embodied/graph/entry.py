"""Entry of a node in a graph: its wires, its timing, and where it is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from embodied.clock import duration, rate_of
from embodied.errors import Place
from embodied.graph.restart import NEVER, Restart
from embodied.node.node import Node
from embodied.plain_data import describe

NODE_NAME = re.compile(r"[a-z][a-z0-9_]*(/[a-z][a-z0-9_]*)*")
"""Pattern of a node's name; a namespace stands before a slash."""

Places = Mapping[tuple[str, ...], Place]
"""Place in a file of each part of a node, by its keys: `("with", "kp")`, `("in", "joints")`."""

BOUND = 64
"""Queue length of a `list[T]` input unless its wire sets another [messages]."""


@dataclass(frozen=True, slots=True)
class Wire:
    """Wire in an entry of a graph: source of one input, and how its messages are delivered.

    Attributes:
        source: `node.port`, or `node` for its first output.
        max_age: age beyond which the value is stale [ns]; None: derived from the source's rate. A stated age alone
            decides: the value need not be of the same step as the other outputs of that source.
        bound: queue length of a `list[T]` input [messages]; the oldest are dropped and counted.
        lossless: the source waits rather than have a message dropped; ignored in lockstep.
    """

    source: str
    max_age: int | None = None
    bound: int = BOUND
    lossless: bool = False

    @property
    def node(self) -> str:
        """Name of the publishing node."""
        return self.source.partition(".")[0]

    def describe(self) -> dict[str, Any]:
        """Return the wire as plain data, as a launch file has it; times in [ns]."""
        return {"from": self.source, "max_age": self.max_age, "bound": self.bound, "lossless": self.lossless}


@dataclass(frozen=True, slots=True)
class Timing:
    """Timing in an entry of a graph: rate of a node, and in virtual time the duration of its step.

    Attributes:
        rate: overrides the class's rate [Hz].
        latency: time from the start of a step to its outputs, during which the node is busy [ns]; ignored live.
        jitter: upper bound of a random addition to the latency, drawn from the seed for each step [ns].
    """

    rate: Fraction | None = None
    latency: int = 0
    jitter: int = 0

    @classmethod
    def of(cls, *, rate: object = None, latency: object = 0, jitter: object = 0) -> Timing:
        """Parse a timing as people write it: `Timing.of(rate=30, latency="15ms")`.

        Raises:
            ValueError: a value cannot be read; the message names what is expected.
        """
        return cls(None if rate is None else rate_of(rate), duration(latency), duration(jitter))


@dataclass(slots=True)
class Entry:
    """Entry of a node in a graph, with its wires and where it is written.

    Attributes:
        name: unique name of the node.
        node: the node itself.
        timing: rate and latency.
        wires: by input.
        places: of its parts in a file.
        machine: name of the machine it runs on; None: the first machine of the graph.
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
        """Rate at which the node runs [Hz]; None for a node that runs on its trigger."""
        if self.timing.rate is not None:
            return self.timing.rate
        return None if self.node.rate is None else rate_of(self.node.rate)

    def place(self, *keys: str) -> Place | None:
        """Return the place of a part in the file, else that of the innermost part around it.

        Args:
            keys: path of the part, `"in", "joints"`.
        """
        for length in range(len(keys), -1, -1):
            if keys[:length] in self.places:
                return self.places[keys[:length]]
        return None

    def describe(self) -> dict[str, Any]:
        """Return the entry as plain data, as a launch file has it; times in [ns]."""
        return {
            **describe(self.node),
            "in": {port: wire.describe() for port, wire in sorted(self.wires.items())},
            "rate": None if self.rate is None else str(self.rate),
            "latency": self.timing.latency,
            "jitter": self.timing.jitter,
            "on": self.machine,
            "restart": self.restart.describe(),
        }
