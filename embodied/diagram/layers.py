"""Layers of a graph: which wires lead back, which column a node stands in, and in which order.

After Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system structures" (1981): break the
loops, take the longest path to each node, order every layer by the barycentre of its neighbours.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

Link = tuple[str, str]
"""From a node to a node."""


def components(nodes: Iterable[str], links: Iterable[Link]) -> list[list[str]]:
    """Nodes that hang together, by name of their first."""
    group = {name: {name} for name in sorted(nodes)}
    for one, other in links:
        if group[one] is not group[other]:
            joined = group[one] | group[other]
            group.update(dict.fromkeys(joined, joined))
    return sorted({min(found): sorted(found) for found in group.values()}.values())


def backward(nodes: Iterable[str], links: Iterable[Link], ends: Collection[str]) -> set[Link]:
    """Links that close a loop, as few as a search from the sources finds.

    Args:
        nodes: all of them.
        links: between them.
        ends: nodes at which the flow ends, such as actuators: what comes out of them leads back.
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
    """The layer of each node: beyond all it takes from, and a source right before whoever takes from it."""
    before: dict[str, list[str]] = {name: [] for name in nodes}
    after: dict[str, list[str]] = {name: [] for name in before}
    for source, target in forward:
        before[target].append(source)
        after[source].append(target)
    waits = {name: len(sources) for name, sources in before.items()}
    ready = sorted(name for name, count in waits.items() if not count)
    found: dict[str, int] = {}
    for name in ready:
        found[name] = max((found[source] + 1 for source in before[name]), default=0)
        for target in after[name]:
            waits[target] -= 1
            if not waits[target]:
                ready.append(target)
    for name, sources in before.items():
        if not sources and after[name]:
            found[name] = min(found[target] for target in after[name]) - 1
    return found


Joint = tuple[str, float]
"""An item of a layer, and how far down in it a wire meets it, from 0 to 1."""


def ordered(layers: Sequence[Sequence[str]], joints: Sequence[tuple[Joint, Joint]]) -> list[list[str]]:
    """The items of each layer, in the order that lets the fewest wires cross.

    Args:
        layers: the items, in any order.
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
    # Whoever has no neighbour stays where it is.
    return {name: sum(met[name]) / len(met[name]) if met[name] else float(i) for i, name in enumerate(layer)}


def crossings(layers: Sequence[Sequence[str]], joints: Iterable[tuple[Joint, Joint]]) -> int:
    """How many pairs of wires between neighbouring layers cross."""
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
    """Places along a line, in order and apart, as near as can be to those that are wanted (least squares).

    Args:
        wanted: where each would like to begin.
        sizes: of each.
        gaps: the least distance between each and the next.

    Returns:
        where each begins.
    """
    offsets = [0.0]
    for size, gap in zip(sizes[:-1], gaps, strict=True):
        offsets.append(offsets[-1] + size + gap)
    # Apart from their offsets they must not fall: pool whatever does into its mean.
    pools: list[list[float]] = []
    for want, offset in zip(wanted, offsets, strict=False):
        pools.append([want - offset, 1])
        while len(pools) > 1 and pools[-2][0] >= pools[-1][0]:
            mean, count = pools.pop()
            total = pools[-1][1] + count
            pools[-1] = [(pools[-1][0] * pools[-1][1] + mean * count) / total, total]
    level = [mean for mean, count in pools for _ in range(int(count))]
    return [value + offset for value, offset in zip(level, offsets, strict=False)]
