"""Specification of a graph: what is written down, before validation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from embodied.graph.entry import Entry, Places
from embodied.graph.faults import Fault
from embodied.plain_data import describe
from embodied.world import World


@dataclass(slots=True)
class GraphSpec:
    """Specification of a graph: nodes and wires, and the world they may live in.

    Attributes:
        world: the simulated world, None on a robot.
        clock: `lockstep` or `steady`.
        processes: names of nodes that share a process, for the live runner.
        entries: the nodes by name, with their wires.
        faults: injected in lockstep.
        machines: endpoints by name, `tcp://192.168.1.10:7447`; empty where everything runs on one machine. In lockstep
            they are validated, and ignored.
        places: of machines and processes in a file.
    """

    world: World | None = None
    clock: str = "lockstep"
    processes: tuple[tuple[str, ...], ...] = ()
    entries: dict[str, Entry] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    machines: dict[str, str] = field(default_factory=dict)
    places: Places = field(default_factory=dict)

    def machine_of(self, node: str) -> str | None:
        """Return the machine a node runs on: its own, else the first; None where there are no machines."""
        return self.entries[node].machine or next(iter(self.machines), None)

    def describe(self) -> dict[str, Any]:
        """Return the graph as plain data: equal graphs give equal descriptions, however they were built."""
        return {
            "clock": self.clock,
            "world": None if self.world is None else describe(self.world),
            "machines": dict(self.machines),
            "processes": [list(group) for group in self.processes],
            "nodes": {name: self.entries[name].describe() for name in sorted(self.entries)},
            "faults": [fault.describe() for fault in self.faults],
        }
