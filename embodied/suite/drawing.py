"""What a report draws, as SVG: an interval on its scale, and when what happened in a run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

LEFT, RIGHT, ROW, TOP = 116, 12, 18, 6  # [px]
WIDTH = 640  # [px]
THIN = 1.5
"""What is shorter is drawn this wide all the same [px]."""


def interval(low: float, high: float, rate: float) -> str:
    """A 95 % interval and the rate in it, on a scale from 0 to 1."""
    width = 80
    x, w, at = low * width, max(2.0, (high - low) * width), rate * width
    return (
        f'<svg viewBox="0 0 {width} 10" style="width:{width}px;display:inline-block;vertical-align:middle" '
        f'role="img" aria-label="{low:.1%} to {high:.1%}">'
        f'<line class="axis" x1="0" x2="{width}" y1="5" y2="5"/>'
        f'<rect class="alive" x="{x:.1f}" y="2" width="{w:.1f}" height="6" rx="2"/>'
        f'<circle cx="{min(max(at, 3), width - 3):.1f}" cy="5" r="3" class="following"/></svg>'
    )


def timeline(data: Mapping[str, Any], faults: Sequence[Mapping[str, Any]] = ()) -> str:
    """A row for each node and guard, and for each fault, over the time of a run.

    Args:
        data: as `embodied.recording.timeline.Timeline` gives it.
        faults: what was done to the run, as a `FaultCount` tells it.
    """
    end = max(float(data["end"]), 1e-9)
    rows = [*_fault_rows(faults, end), *_guard_rows(data["guards"]), *_node_rows(data["nodes"])]
    height = TOP + ROW * len(rows) + 20
    scale = (WIDTH - LEFT - RIGHT) / end
    parts = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="what happened when">']
    for at in _ticks(end):
        x = LEFT + at * scale
        parts.append(f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{height - 18}"/>')
        parts.append(f'<text x="{x:.1f}" y="{height - 5}" text-anchor="middle">{at:g} s</text>')
    for number, (name, bars) in enumerate(rows):
        y = TOP + ROW * number
        parts.append(f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end">{escape(_short(name))}</text>')
        for begin, until, kind, told in bars:
            x, w = LEFT + begin * scale, max(THIN, (until - begin) * scale)
            title = f"<title>{escape(f'{begin:.2f} s to {until:.2f} s {told}'.strip())}</title>"
            parts.append(
                f'<rect class="{kind}" x="{x:.1f}" y="{y + 3}" width="{w:.1f}" height="{ROW - 7}">{title}</rect>'
            )
    return "".join([*parts, "</svg>"])


Bars = list[tuple[float, float, str, str]]
"""From, to [s], the class of its style, and what is said of it."""


def _node_rows(nodes: Mapping[str, Any]) -> Iterator[tuple[str, Bars]]:
    for name, spans in nodes.items():
        yield name, [(begin, until, "alive", "publishes") for begin, until in spans]


def _guard_rows(guards: Mapping[str, Any]) -> Iterator[tuple[str, Bars]]:
    for name, spans in guards.items():
        yield f"{name} says", [(begin, until, state, f"{state}: {why}") for begin, until, state, why in spans]


def _fault_rows(faults: Sequence[Mapping[str, Any]], end: float) -> Iterator[tuple[str, Bars]]:
    for fault in faults:
        begin, length = float(fault["at_s"]), fault["for_s"]
        until = end if length is None else min(end, begin + float(length))
        if begin < end:
            yield f"{fault['kind']} {fault['target']}", [(begin, until, "fault", str(fault["fault"]))]


def _ticks(end: float) -> list[float]:
    """Round times, four to ten of them."""
    step = 10.0 ** math.floor(math.log10(end))
    for finer in (1.0, 0.5, 0.2, 0.1):
        if end / (step * finer) >= 4:
            step *= finer
            break
    return [round(step * n, 9) for n in range(math.floor(end / step) + 1)]


def _short(name: str) -> str:
    return name if len(name) <= 19 else f"…{name[-18:]}"
