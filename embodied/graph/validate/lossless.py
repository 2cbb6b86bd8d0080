"""Validation of lossless wires: where a publisher may wait for a slow subscriber, and where it never may."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from embodied.errors import Problem
from embodied.graph.entry import Entry
from embodied.graph.validate.draft import Draft
from embodied.messages.schema import schema
from embodied.node.node import Guard
from embodied.node.ports import Input, Output

LARGE = 64 * 1024
"""Size from which an array is an image, a cloud or the like, which may not be lossless [B]."""


def check_lossless(draft: Draft) -> Iterator[Problem]:
    """Validate every wire that is declared lossless.

    Args:
        draft: with the ports, the rates and the resolved wires.
    """
    graph, ports, wires, rates = draft.graph, draft.ports, draft.wires, draft.rates
    upstream = _upstream_of_guards(draft)
    for name, entry in graph.entries.items():
        for port, (node, output) in wires[name].items():
            if not entry.wires[port].lossless:
                continue
            who = f"'{name}.{port}' may not be lossless: "
            if node in upstream:
                text = f"'{node}' would wait for '{name}', and the guard '{upstream[node]}' for '{node}'"
                yield _at(entry, port, "E606", who + text)
            subscriber, publisher = ports[name].inputs[port], ports[node].outputs[output]
            first = rates.get(name) is None and port == next(iter(ports[name].inputs))
            apart = graph.machine_of(node) != graph.machine_of(name)
            reason = _refusal(rates.get(node), apart, node, publisher, subscriber, first)
            if reason:
                yield _at(entry, port, "E306", who + reason)


def _at(entry: Entry, port: str, code: str, text: str) -> Problem:
    help_ = ("leave out 'lossless': what is dropped is counted, and a list[T] has its 'bound'",)
    return Problem(code, text, entry.place("in", port, "lossless"), help_, where=f"node {entry.name}")


def _upstream_of_guards(draft: Draft) -> dict[str, str]:
    """Find the nodes upstream of a guard, each with the name of one such guard."""
    guards: dict[str, str] = {}
    for guard in (name for name, entry in sorted(draft.graph.entries.items()) if isinstance(entry.node, Guard)):
        todo = [guard]
        while todo:
            name = todo.pop()
            if name not in guards:
                guards[name] = guard
                todo += [node for node, _ in draft.wires[name].values()]
    return guards


def _refusal(rate: Fraction | None, apart: bool, node: str, publisher: Output, subscriber: Input, first: bool) -> str:
    """Explain why a wire may not be lossless; empty where it may."""
    if rate is not None:
        return f"'{node}' runs at {rate} Hz, and would miss its ticks while it waits"
    if apart:
        return f"'{node}' runs on another machine, and a link between machines never has its source wait"
    if subscriber.delivery != "every" and not first:
        return f"it takes the latest of '{node}.{publisher.name}', and what came before is passed over"
    if publisher.rendered:
        return f"'{node}.{publisher.name}' is rendered, and the newest picture is worth more than all"
    refined = publisher.refined.joined(subscriber.refined)
    for field in schema(publisher.message):
        if field.array is None:
            continue
        sizes = [size if isinstance(size, int) else refined.sizes.get(size, 0) for size in field.array.shape]
        size = math.prod(sizes) * np.dtype(refined.dtypes.get(field.name, field.array.dtype)).itemsize
        if size >= LARGE:
            return f"'{field.name}' of '{node}.{publisher.name}' has {size // 1024} KiB, too many to keep waiting"
    return ""
