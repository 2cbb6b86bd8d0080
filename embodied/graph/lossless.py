"""The proof of lossless wires: where a publisher may wait for a node that is slow, and where it never may."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction

import numpy as np

from embodied.errors import Problem
from embodied.graph.graph import Entry, Graph, Wires
from embodied.messages.schema import schema
from embodied.node.node import Guard
from embodied.node.ports import Input, Output, Ports

LARGE = 64 * 1024
"""An array of this size [B] or more is an image, a cloud or the like: nobody waits for those to be taken."""


def waiting(
    graph: Graph, ports: Mapping[str, Ports], wires: Wires, rates: Mapping[str, Fraction | None]
) -> Iterator[Problem]:
    """What is wrong with the wires that are declared lossless.

    Args:
        graph: what is proven.
        ports: of the nodes whose ports could be read.
        wires: those that lead somewhere.
        rates: of the nodes [Hz].
    """
    feeding = _feeding(graph, wires)
    for name, entry in graph.entries.items():
        for port, (node, output) in wires[name].items():
            if not entry.wires[port].lossless:
                continue
            who = f"'{name}.{port}' may not be lossless: "
            if node in feeding:
                text = f"'{node}' would wait for '{name}', and the guard '{feeding[node]}' for '{node}'"
                yield _at(entry, port, "E606", who + text)
            taker, giver = ports[name].inputs[port], ports[node].outputs[output]
            first = rates.get(name) is None and port == next(iter(ports[name].inputs))
            apart = graph.machine_of(node) != graph.machine_of(name)
            reason = _reason(rates.get(node), apart, node, giver, taker, first)
            if reason:
                yield _at(entry, port, "E306", who + reason)


def _at(entry: Entry, port: str, code: str, text: str) -> Problem:
    help_ = ("leave out 'lossless': what is dropped is counted, and a list[T] has its 'bound'",)
    return Problem(code, text, entry.place("in", port, "lossless"), help_, where=f"node {entry.name}")


def _feeding(graph: Graph, wires: Wires) -> dict[str, str]:
    """The nodes that lie before a guard, each with one that it feeds."""
    found: dict[str, str] = {}
    for guard in (name for name, entry in sorted(graph.entries.items()) if isinstance(entry.node, Guard)):
        todo = [guard]
        while todo:
            name = todo.pop()
            if name not in found:
                found[name] = guard
                todo += [node for node, _ in wires[name].values()]
    return found


def _reason(rate: Fraction | None, apart: bool, node: str, giver: Output, taker: Input, first: bool) -> str:
    """Why a wire may not be lossless, or nothing."""
    if rate is not None:
        return f"'{node}' runs at {rate} Hz, and would miss its ticks while it waits"
    if apart:
        return f"'{node}' runs on another machine, and a link between machines never has its source wait"
    if taker.delivery != "every" and not first:
        return f"it takes the latest of '{node}.{giver.name}', and what came before is passed over"
    if giver.rendered:
        return f"'{node}.{giver.name}' is rendered, and the newest picture is worth more than all"
    refined = giver.refined.joined(taker.refined)
    for field in schema(giver.message):
        if field.array is None:
            continue
        sizes = [size if isinstance(size, int) else refined.sizes.get(size, 0) for size in field.array.shape]
        size = math.prod(sizes) * np.dtype(refined.dtypes.get(field.name, field.array.dtype)).itemsize
        if size >= LARGE:
            return f"'{field.name}' of '{node}.{giver.name}' has {size // 1024} KiB, too many to keep waiting"
    return ""
