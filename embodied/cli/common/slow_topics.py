"""Lines of a run's report on nodes that published less often than their rates promise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def slow_lines(topics: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line for each node none of whose outputs came as often as its rate promises.

    A node may give some outputs less often than it steps, as an arm gives its gripper's position; the most frequent one
    tells whether it kept its rate.

    Args:
        topics: health of each topic, as plain data.
    """
    by_node: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for name, state in topics.items():
        if state["declared"]:
            by_node.setdefault(name.rpartition(".")[0], []).append((name, state))
    for outputs in by_node.values():
        if not any(state["alive"] and state["on_rate"] for _, state in outputs):
            name, state = max(outputs, key=lambda output: output[1]["rate"])
            yield f"slow       {name}: {state['rate']:.4g} Hz of {state['declared']:.4g} Hz"
