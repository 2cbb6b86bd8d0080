"""Draft of a plan: what validation knows of each node so far, and the problems it has found."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from embodied.errors import Place, Problem
from embodied.graph.entry import Entry
from embodied.graph.missing_driver import MissingDriver
from embodied.graph.spec import GraphSpec
from embodied.node.ports import Ports


@dataclass(slots=True)
class Draft:
    """Draft of a plan: intermediate results of the validation of a graph.

    Attributes:
        graph: the graph under validation.
        ports: of the nodes whose ports could be read.
        rates: of the nodes whose rate could be read [Hz]; None for a node that runs on its trigger.
        wires: by node and input, the node and the output it is wired to; those that lead somewhere.
        problems: found so far.
    """

    graph: GraphSpec
    ports: dict[str, Ports] = field(default_factory=dict)
    rates: dict[str, Fraction | None] = field(default_factory=dict)
    wires: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def report(
        self,
        code: str,
        message: str,
        entry: Entry,
        *keys: str,
        fixes: tuple[str, ...] = (),
        also: tuple[tuple[Place, str], ...] = (),
    ) -> None:
        """Add a problem with a node.

        Args:
            code: of the error page.
            message: what is wrong, in one sentence.
            entry: the node.
            keys: path of the part of the node, `"in", "joints"`.
            fixes: help lines.
            also: second places that belong to the problem, with a word about each.
        """
        place = entry.place(*keys)
        self.problems.append(Problem(code, message, place, fixes, also, where=f"node {entry.name}"))

    def lacks_driver(self, node: str) -> bool:
        """Return whether a node has no class yet.

        Args:
            node: its name; unknown names lack none.
        """
        return node in self.graph.entries and isinstance(self.graph.entries[node].node, MissingDriver)

    def trigger(self, name: str) -> str | None:
        """Return the first input of a node without a rate, which makes it step; None for all others."""
        if self.rates.get(name) is not None or name not in self.ports:
            return None
        return next(iter(self.ports[name].inputs), None)
