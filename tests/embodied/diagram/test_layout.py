"""Where boxes and wires stand, for any graph."""

from __future__ import annotations

import re
from itertools import combinations, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from embodied.diagram.layers import crossings, ordered, spread
from embodied.diagram.layout import Box, Layout, Node, Wire, lay_out

Point = tuple[float, float]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, Node], list[Wire]]:
    """Nodes with a few ports each, and any wires: loops, wires to oneself, and parts that do not hang together."""
    names = [f"n{i}" for i in range(draw(st.integers(1, 9)))]
    nodes = {}
    for name in names:
        ins = tuple(f"i{i}" for i in range(draw(st.integers(0, 3))))
        outs = tuple(f"o{i}" for i in range(draw(st.integers(0, 3))))
        nodes[name] = Node(name, 120.0, ins, outs, dict.fromkeys(outs, "Message"), draw(st.booleans()))
    outputs = [(name, port) for name in names for port in nodes[name].outputs]
    inputs = [(name, port) for name in names for port in nodes[name].inputs]
    wires = [Wire(*draw(st.sampled_from(outputs)), *port) for port in inputs if outputs and draw(st.integers(0, 3)) > 0]
    return nodes, wires


def points(path: str) -> list[Point]:
    """A path as a fine line."""
    x = y = 0.0
    found: list[Point] = []
    for letter, text in re.findall(r"([MHVCq])([^MHVCq]*)", path):
        numbers = [float(word) for word in text.split()]
        if letter == "M":
            ends = [(numbers[0], numbers[1])]
        elif letter == "H":
            ends = [(x + (numbers[0] - x) * t / 40, y) for t in range(41)]
        elif letter == "V":
            ends = [(x, y + (numbers[0] - y) * t / 40) for t in range(41)]
        elif letter == "q":
            ends = [(x + numbers[2], y + numbers[3])]
        else:
            a, b, c = numbers[1], numbers[3], numbers[5]
            x0, x1, x2, x3 = x, numbers[0], numbers[2], numbers[4]
            ends = [
                (
                    (1 - t) ** 3 * x0 + 3 * (1 - t) ** 2 * t * x1 + 3 * (1 - t) * t**2 * x2 + t**3 * x3,
                    (1 - t) ** 3 * y + 3 * (1 - t) ** 2 * t * a + 3 * (1 - t) * t**2 * b + t**3 * c,
                )
                for t in (i / 20 for i in range(21))
            ]
        found += ends
        x, y = ends[-1]
    return found


HAIR = 0.1
"""Paths are written to a tenth of a pixel."""


def inside(point: Point, box: Box) -> bool:
    across, down = point[0] - box.x, point[1] - box.y
    return HAIR < across < box.width - HAIR and HAIR < down < box.height - HAIR


def within(layout: Layout, point: Point) -> bool:
    return 0 <= point[0] <= layout.width + HAIR and 0 <= point[1] <= layout.height + HAIR


@settings(max_examples=60)
@given(graphs())
def test_boxes_stand_apart_and_no_wire_runs_through_one(graph: tuple[dict[str, Node], list[Wire]]) -> None:
    nodes, wires = graph
    layout = lay_out(nodes, wires)
    assert set(layout.boxes) == set(nodes)
    assert set(layout.paths) == set(wires)
    for one, other in combinations(layout.boxes.values(), 2):
        apart = one.x + one.width <= other.x or other.x + other.width <= one.x
        assert apart or one.y + one.height <= other.y or other.y + other.height <= one.y
    for path in layout.paths.values():
        for point in points(path):
            assert within(layout, point)
            assert not any(inside(point, box) for box in layout.boxes.values())
    for x, y in layout.labels.values():
        # A message's name stands behind its port, in ground that is kept for names.
        assert within(layout, (x + 7 * 6.7, y))
        assert not any(inside((x + along * 6.7, y), box) for along in range(8) for box in layout.boxes.values())


@settings(max_examples=60)
@given(graphs())
def test_wires_that_do_not_lead_back_lead_to_the_right(graph: tuple[dict[str, Node], list[Wire]]) -> None:
    nodes, wires = graph
    layout = lay_out(nodes, wires)
    for wire in wires:
        source, target = layout.boxes[wire.source], layout.boxes[wire.target]
        if wire not in layout.back:
            assert source.x + source.width < target.x
        if nodes[wire.source].last:
            assert wire in layout.back


def test_a_chain_has_no_wire_that_leads_back() -> None:
    nodes = {name: Node(name, 100.0, ("i",), ("o",), {"o": "Pose"}) for name in "abcd"}
    layout = lay_out(nodes, [Wire(a, "o", b, "i") for a, b in pairwise("dbca")])
    assert not layout.back
    assert [name for name, _ in sorted(layout.boxes.items(), key=lambda item: item[1].x)] == list("dbca")
    assert len({box.y for box in layout.boxes.values()}) == 1


def test_the_order_of_layers_undoes_crossings_that_need_not_be() -> None:
    joints = [(("a", 0.5), ("y", 0.5)), (("b", 0.5), ("x", 0.5)), (("c", 0.5), ("z", 0.5))]
    assert crossings([["a", "b", "c"], ["x", "y", "z"]], joints) == 1
    assert crossings(ordered([["a", "b", "c"], ["x", "y", "z"]], joints), joints) == 0


@given(st.lists(st.tuples(st.floats(-500, 500), st.floats(1, 90)), min_size=1, max_size=8))
def test_what_is_spread_keeps_its_order_and_distance(items: list[tuple[float, float]]) -> None:
    wanted, sizes = [w for w, _ in items], [s for _, s in items]
    found = spread(wanted, sizes, [5.0] * (len(items) - 1))
    for (y, size), after in zip(zip(found, sizes, strict=True), found[1:], strict=False):
        assert after >= y + size + 5 - 1e-6
    if all(b >= a + s + 5 for (a, s), b in zip(items, wanted[1:], strict=False)):
        assert all(abs(a - b) < 1e-6 for a, b in zip(found, wanted, strict=True))
