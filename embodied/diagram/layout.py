"""Layout of boxes and wires: columns from left to right, backward wires below all boxes.

Between two columns stand, from left to right: names of messages, tracks down for backward wires, space for curves, and
tracks up to inputs. Each of them has its own space, so nothing is drawn over text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median_low

from embodied.diagram.layers import Joint, backward, columns, components, ordered, spread

HEAD = 48.0
"""Height of a box's title [px]."""

ROW = 19.0
"""Height of a port [px]."""

FOOT = 8.0
"""Height below the last port of a box [px]."""

LETTER = 6.7
"""Width of a letter, in a monospaced face of 11 px [px]."""

BOX_GAP = 30.0
"""Smallest distance between boxes [px]."""

LANE = 14.0
"""Distance between parallel wires [px]."""

CURVE = 46.0
"""Width in which wires bend [px]."""

MARGIN = 28.0
"""Margin around the diagram [px]."""

TIP = 3.0
"""Distance between the tip of an arrow and its port [px]."""


@dataclass(frozen=True, slots=True)
class Node:
    """Node in the layout: the width of its title, and its ports from the top down."""

    name: str
    title: float
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    messages: Mapping[str, str]
    last: bool = False


@dataclass(frozen=True, slots=True)
class Wire:
    """Wire in the layout, from an output to an input, by names."""

    source: str
    output: str
    target: str
    input: str


@dataclass(slots=True)
class Box:
    """Box of a node in the layout [px]."""

    x: float
    y: float
    width: float
    height: float


@dataclass(slots=True)
class Layout:
    """Layout of boxes and wires; `paths` are SVG path data by wire, `labels` the start of each message's name."""

    boxes: dict[str, Box] = field(default_factory=dict)
    paths: dict[Wire, str] = field(default_factory=dict)
    back: set[Wire] = field(default_factory=set)
    labels: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    width: float = 0.0
    height: float = 0.0


def port_y(node: Node, port: str, *, output: bool) -> float:
    """Return the distance of a port from the top of its box in the layout [px].

    Args:
        node: with the port.
        port: name of the port.
        output: whether the port is an output.
    """
    return HEAD + ROW * ((node.outputs if output else node.inputs).index(port) + 0.5)


def lay_out(nodes: Mapping[str, Node], wires: Sequence[Wire]) -> Layout:
    """Lay out a graph, with its connected components below each other.

    Args:
        nodes: by name.
        wires: between the nodes.
    """
    layout = Layout()
    for names in components(nodes, [(wire.source, wire.target) for wire in wires]):
        part = _Part({name: nodes[name] for name in names}, [wire for wire in wires if wire.source in names])
        part.place(layout)
    return layout


Trunk = tuple[str, str]
"""Output with backward wires, which share their path as far as possible."""


@dataclass(slots=True)
class _Column:
    """Column of boxes and the gap behind it, in x."""

    left: float  # of its boxes
    right: float
    bend: float  # where wires to the next column begin to curve
    up: dict[Trunk, float]  # tracks before it
    down: dict[Trunk, float]  # tracks behind it


class _Part:
    """Connected component of a graph."""

    def __init__(self, nodes: Mapping[str, Node], wires: Sequence[Wire]) -> None:
        self.nodes = nodes
        links = [(wire.source, wire.target) for wire in wires]
        back = backward(nodes, links, {name for name, node in nodes.items() if node.last})
        self.column = columns(nodes, [link for link in links if link not in back])
        self.back = [wire for wire in wires if (wire.source, wire.target) in back]
        self.forward = [wire for wire in wires if (wire.source, wire.target) not in back]
        self.layers: list[list[str]] = [[] for _ in range(max(self.column.values()) + 1)]
        for name in nodes:
            self.layers[self.column[name]].append(name)
        self.y: dict[str, float] = {}

    def place(self, layout: Layout) -> None:
        """Add this component below the others of a layout."""
        joints = self._joints()
        self.layers = ordered(self.layers, [(self._share(a), self._share(b)) for a, b in joints])
        self._stack(joints)
        top = layout.height + MARGIN - min(self.y.values())
        self.y = {item: y + top for item, y in self.y.items()}
        lanes = self._lanes(max(self.y[item] + self._height(item) for item in self.y))
        placed: list[_Column] = []
        for index in range(len(self.layers)):
            placed.append(self._column(index, placed[-1].bend + CURVE if placed else MARGIN))
            for name in (name for name in self.layers[index] if name in self.nodes):
                node, column = self.nodes[name], placed[-1]
                box = Box(column.left, self.y[name], column.right - column.left, self._height(name))
                layout.boxes[name] = box
                for port in node.messages:
                    layout.labels[name, port] = (column.right + 9, box.y + port_y(node, port, output=True) - 5)
        layout.paths |= {wire: self._ahead(wire, placed) for wire in self.forward}
        layout.paths |= {wire: self._around(wire, placed, lanes) for wire in self.back}
        layout.back |= set(self.back)
        layout.width = max(layout.width, placed[-1].bend + MARGIN)
        layout.height = max([*(self.y[item] + self._height(item) for item in self.y), *lanes.values()])

    def _column(self, index: int, x: float) -> _Column:
        boxes = [self.nodes[name] for name in self.layers[index] if name in self.nodes]
        # Sorted so that no stub into a port crosses a track: the higher a port, the farther its track from the box.
        into = sorted((self._in_y(w), (w.source, w.output)) for w in self.back if self.column[w.target] == index)
        out = sorted((-self._out_y(w), (w.source, w.output)) for w in self.back if self.column[w.source] == index)
        up = {trunk: x + LANE * i for i, trunk in enumerate(dict.fromkeys(trunk for _, trunk in into))}
        left = x + LANE * len(up) + (LANE if index or up else 0)
        right = left + max(_width(node) for node in boxes)
        names = [message for node in boxes for message in node.messages.values()]
        behind = right + max((LETTER * len(name) + 20 for name in names), default=0.0)
        down = {trunk: behind + LANE * i for i, trunk in enumerate(dict.fromkeys(trunk for _, trunk in out))}
        return _Column(left, right, behind + LANE * len(down), up, down)

    def _joints(self) -> list[tuple[Joint, Joint]]:
        """Split wires at every column they pass, so that each part joins neighbouring columns."""
        joints: dict[tuple[Joint, Joint], None] = {}
        for wire in self.forward:
            at: Joint = (wire.source, self._offset(wire.source, wire.output, output=True))
            for index in range(self.column[wire.source] + 1, self.column[wire.target]):
                passing = _passing(wire, index)
                if passing not in self.layers[index]:
                    self.layers[index].append(passing)
                joints[at, (passing, 0.0)] = None
                at = (passing, 0.0)
            joints[at, (wire.target, self._offset(wire.target, wire.input, output=False))] = None
        return list(joints)

    def _stack(self, joints: Sequence[tuple[Joint, Joint]]) -> None:
        """Choose heights that keep wires as level as possible, without a change of the order."""
        for layer in self.layers:
            y = 0.0
            for item in layer:
                self.y[item] = y
                y += self._height(item) + BOX_GAP
        for sweep in range(24):
            layers = self.layers if sweep % 2 else self.layers[::-1]
            for layer in layers:
                wanted = []
                for item in layer:
                    pulls = [self.y[b] + hb - ha for (a, ha), (b, hb) in joints if a == item]
                    pulls += [self.y[a] + ha - hb for (a, ha), (b, hb) in joints if b == item]
                    # The median, not the mean: one level wire looks better than two that nearly are.
                    wanted.append(median_low(pulls) if pulls else self.y[item])
                gaps = [BOX_GAP if one in self.nodes or other in self.nodes else LANE for one, other in pairwise(layer)]
                self.y.update(zip(layer, spread(wanted, [self._height(item) for item in layer], gaps), strict=True))

    def _lanes(self, floor: float) -> dict[Trunk, float]:
        """Assign a lane below all boxes to each output with backward wires; the shorter ones are nearer."""
        reach: dict[Trunk, int] = {}
        for wire in self.back:
            trunk, column = (wire.source, wire.output), self.column[wire.target]
            reach[trunk] = min(column, reach.get(trunk, column))
        order = sorted(reach, key=lambda trunk: (-reach[trunk], -self.y[trunk[0]], trunk))
        return {trunk: floor + LANE * (1.5 + i) for i, trunk in enumerate(order)}

    def _ahead(self, wire: Wire, placed: Sequence[_Column]) -> str:
        """Return the path of a forward wire, level through the columns in between."""
        source, target = self.column[wire.source], self.column[wire.target]
        y = self._out_y(wire)
        path = f"M{placed[source].right:.1f} {y:.1f}"
        for index in range(source + 1, target + 1):
            after = self._in_y(wire) if index == target else self.y[_passing(wire, index)]
            start = placed[index - 1].bend
            middle, end = start + CURVE / 2, start + CURVE
            path += f"H{start:.1f}C{middle:.1f} {y:.1f} {middle:.1f} {after:.1f} {end:.1f} {after:.1f}"
            y = after
        return path + f"H{placed[target].left - TIP:.1f}"

    def _around(self, wire: Wire, placed: Sequence[_Column], lanes: Mapping[Trunk, float]) -> str:
        """Return the path of a backward wire: down behind its column, below all boxes, and up before the other."""
        trunk = (wire.source, wire.output)
        source, target = placed[self.column[wire.source]], placed[self.column[wire.target]]
        down, up, lane, r = source.down[trunk], target.up[trunk], lanes[trunk], LANE / 2
        return (
            f"M{source.right:.1f} {self._out_y(wire):.1f}H{down - r:.1f}q{r} 0 {r} {r}V{lane - r:.1f}q0 {r} {-r} {r}"
            f"H{up + r:.1f}q{-r} 0 {-r} {-r}V{self._in_y(wire) + r:.1f}q0 {-r} {r} {-r}H{target.left - TIP:.1f}"
        )

    def _share(self, joint: Joint) -> Joint:
        return joint[0], joint[1] / self._height(joint[0])

    def _height(self, item: str) -> float:
        node = self.nodes.get(item)
        return 1.0 if node is None else HEAD + ROW * max(len(node.inputs), len(node.outputs)) + FOOT

    def _offset(self, name: str, port: str, *, output: bool) -> float:
        return port_y(self.nodes[name], port, output=output)

    def _out_y(self, wire: Wire) -> float:
        return self.y[wire.source] + self._offset(wire.source, wire.output, output=True)

    def _in_y(self, wire: Wire) -> float:
        return self.y[wire.target] + self._offset(wire.target, wire.input, output=False)


def _passing(wire: Wire, column: int) -> str:
    return f"{wire.source}.{wire.output}@{column}"


def _width(node: Node) -> float:
    rows = max(len(node.inputs), len(node.outputs))
    ins = [*node.inputs, *[""] * (rows - len(node.inputs))]
    outs = [*node.outputs, *[""] * (rows - len(node.outputs))]
    ports = max((LETTER * (len(i) + len(o) + 4) for i, o in zip(ins, outs, strict=True)), default=0.0)
    return max(node.title, ports, 110.0)
