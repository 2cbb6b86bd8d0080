"""Layered drawing of a graph: backward wires, the column of each node, and the order within columns.

After Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system structures" (1981): break the
loops, take the longest path to each node, order every layer by the barycentre of its neighbours.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

Link = tuple[str, str]
"""Link from a node to a node, by name."""


def components(nodes: Iterable[str], links: Iterable[Link]) -> list[list[str]]:
    """Find the connected components of a graph before its layers, in the order of their first names.

    Args:
        nodes: names of all nodes.
        links: between the nodes.
    """
    group = {name: {name} for name in sorted(nodes)}
    for one, other in links:
        if group[one] is not group[other]:
            joined = group[one] | group[other]
            group.update(dict.fromkeys(joined, joined))
    return sorted({min(found): sorted(found) for found in group.values()}.values())


def backward(nodes: Iterable[str], links: Iterable[Link], ends: Collection[str]) -> set[Link]:
    """Find links that close a loop, as few as a depth-first search from the sources finds.

    Args:
        nodes: names of all nodes.
        links: between the nodes.
        ends: nodes at which the flow ends, such as actuators: links from them lead back.
    """
    after: dict[str, list[str]] = {name: [] for name in sorted(nodes)}
    back: set[Link] = set()
    for source, target in sorted(set(links)):
        if source in ends or source == target:
            back.add((source, target))
        else:
            after[source].append(target)
    fed = {target for targets in after.values() for target in targets}
    done: set[str] = set()
    for root in sorted(after, key=lambda name: (name in fed, name)):
        path = [(root, iter(after[root]))] if root not in done else []
        done.add(root)
        while path:
            name, targets = path[-1]
            target = next(targets, "")
            if not target:
                path.pop()
            elif any(target == before for before, _ in path):
                back.add((name, target))
            elif target not in done:
                done.add(target)
                path.append((target, iter(after[target])))
    return back


def columns(nodes: Iterable[str], forward: Collection[Link]) -> dict[str, int]:
    """Assign a column to each node as its layer: after all its publishers, a source right before its first subscriber.

    Args:
        nodes: names of all nodes.
        forward: links without loops.
    """
    before: dict[str, list[str]] = {name: [] for name in nodes}
    after: dict[str, list[str]] = {name: [] for name in before}
    for source, target in forward:
        before[target].append(source)
        after[source].append(target)
    waits = {name: len(sources) for name, sources in before.items()}
    ready = sorted(name for name, count in waits.items() if not count)
    column: dict[str, int] = {}
    for name in ready:
        column[name] = max((column[source] + 1 for source in before[name]), default=0)
        for target in after[name]:
            waits[target] -= 1
            if not waits[target]:
                ready.append(target)
    for name, sources in before.items():
        if not sources and after[name]:
            column[name] = min(column[target] for target in after[name]) - 1
    return column


Joint = tuple[str, float]
"""End of a wire: an item of a layer, and the height at which the wire meets it, from 0 to 1."""


def ordered(layers: Sequence[Sequence[str]], joints: Sequence[tuple[Joint, Joint]]) -> list[list[str]]:
    """Order the items of each layer for few crossings, by sweeps of barycentres.

    Args:
        layers: items of each layer, in any order.
        joints: wires between neighbouring layers.
    """
    now = [list(layer) for layer in layers]
    best, fewest = now, crossings(now, joints)
    for sweep in range(12):
        rightward = sweep % 2 == 0
        ends = [(b, a) if rightward else (a, b) for a, b in joints]
        now = [list(layer) for layer in now]
        for index in range(len(now)) if rightward else reversed(range(len(now))):
            neighbour = index - 1 if rightward else index + 1
            if not 0 <= neighbour < len(now):
                continue
            rank = {name: place for place, name in enumerate(now[neighbour])}
            now[index].sort(key=_barycentres(now[index], ends, rank).__getitem__)
        count = crossings(now, joints)
        if count < fewest:
            best, fewest = now, count
    return best


def _barycentres(
    layer: Sequence[str], ends: Iterable[tuple[Joint, Joint]], rank: Mapping[str, int]
) -> dict[str, float]:
    met: dict[str, list[float]] = {name: [] for name in layer}
    for (name, _), (other, height) in ends:
        if name in met and other in rank:
            met[name].append(rank[other] + height)
    # An item without neighbours stays where it is.
    return {name: sum(met[name]) / len(met[name]) if met[name] else float(i) for i, name in enumerate(layer)}


def crossings(layers: Sequence[Sequence[str]], joints: Iterable[tuple[Joint, Joint]]) -> int:
    """Count the pairs of wires between neighbouring layers that cross."""
    rank = {name: (index, place) for index, layer in enumerate(layers) for place, name in enumerate(layer)}
    gaps: dict[int, list[tuple[float, float]]] = {}
    for (a, high), (b, low) in joints:
        gaps.setdefault(rank[a][0], []).append((rank[a][1] + high, rank[b][1] + low))
    return sum(
        (one[0] - other[0]) * (one[1] - other[1]) < 0
        for ends in gaps.values()
        for i, one in enumerate(ends)
        for other in ends[:i]
    )


def spread(wanted: Sequence[float], sizes: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """Place items of a layer along a line, in order and without overlap, near their wanted places (least squares).

    Args:
        wanted: wanted start of each item.
        sizes: of the items.
        gaps: smallest distance between each item and the next.

    Returns:
        the start of each item.
    """
    offsets = [0.0]
    for size, gap in zip(sizes[:-1], gaps, strict=True):
        offsets.append(offsets[-1] + size + gap)
    # Less their offsets, starts must not decrease: pool adjacent violators into their mean (isotonic regression).
    pools: list[list[float]] = []
    for want, offset in zip(wanted, offsets, strict=False):
        pools.append([want - offset, 1])
        while len(pools) > 1 and pools[-2][0] >= pools[-1][0]:
            mean, count = pools.pop()
            total = pools[-1][1] + count
            pools[-1] = [(pools[-1][0] * pools[-1][1] + mean * count) / total, total]
    level = [mean for mean, count in pools for _ in range(int(count))]
    return [value + offset for value, offset in zip(level, offsets, strict=False)]
