"""SVG drawings of a report: a confidence interval, and the timeline of a run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

LEFT = 116
"""Margin for the names of rows [px]."""

RIGHT = 12
"""Margin right of the timeline [px]."""

ROW = 18
"""Height of a row [px]."""

TOP = 6
"""Margin above the first row [px]."""

WIDTH = 640
"""Width of the timeline [px]."""

LETTER = 6.5
"""Width of a letter in a band [px]."""

BAR_LEAST = 1.5
"""Width at which even the shortest event is drawn [px]."""


def interval(low: float, high: float, rate: float) -> str:
    """Draw a 95 % confidence interval with the rate in it as SVG, on a scale from 0 to 1."""
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
    """Draw the timeline of a run as SVG: a row for each fault, guard and node.

    Args:
        data: events as of `embodied.recording.timeline.Timeline`.
        faults: injected faults as of `FaultCount`.
    """
    end = max(float(data["end"]), 1e-9)
    bands = list(_band_rows(data.get("bands", {})))
    rows = [*_fault_rows(faults, end), *_guard_rows(data["guards"]), *bands, *_node_rows(data["nodes"])]
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
        for begin, until, kind, text in bars:
            x, w = LEFT + begin * scale, max(BAR_LEAST, (until - begin) * scale)
            title = f"<title>{escape(f'{begin:.2f} s to {until:.2f} s {text}'.strip())}</title>"
            parts.append(
                f'<rect class="{kind}" x="{x:.1f}" y="{y + 3}" width="{w:.1f}" height="{ROW - 7}">{title}</rect>'
            )
            if kind.startswith("band") and w > LETTER * len(text) + 4:
                parts.append(f'<text class="word" x="{x + 3:.1f}" y="{y + 11}">{escape(text)}</text>')
    return "".join([*parts, "</svg>"])


Bars = list[tuple[float, float, str, str]]
"""Bars of a row: beginning and end [s], CSS class, tooltip."""


def _node_rows(nodes: Mapping[str, Any]) -> Iterator[tuple[str, Bars]]:
    for name, spans in nodes.items():
        yield name, [(begin, until, "alive", "publishes") for begin, until in spans]


def _band_rows(bands: Mapping[str, Any]) -> Iterator[tuple[str, Bars]]:
    """Yield a row for each phase and each word that changes, in turn light and dark, with the last value marked."""
    for name, spans in bands.items():
        # A phase that never changes is one that the node is stuck in.
        if len(spans) > 1 or " " in name:
            last = len(spans) - 1
            kinds = [
                "band last" if index == last else f"band {'odd' if index % 2 else 'even'}" for index in range(last + 1)
            ]
            yield name, [(*span[:2], kind, str(span[2])) for span, kind in zip(spans, kinds, strict=True)]


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
    """Choose four to ten round times for the axis."""
    step = 10.0 ** math.floor(math.log10(end))
    for finer in (1.0, 0.5, 0.2, 0.1):
        if end / (step * finer) >= 4:
            step *= finer
            break
    return [round(step * n, 9) for n in range(math.floor(end / step) + 1)]


def _short(name: str) -> str:
    return name if len(name) <= 19 else f"…{name[-18:]}"
