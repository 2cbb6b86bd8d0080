"""SVG plot of a sweep: success rate over one setting with its 95 % band, or a heat map over two.

A plot is complete in itself, with its own colours for light and dark pages.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from embodied.suite.sweep import Axis, Point

WIDTH = 720
"""Width of the plot [px]."""

HEIGHT = 400
"""Height of the plot [px]."""

LEFT = 72
"""Margin left of the axes [px]."""

RIGHT = 24
"""Margin right of the axes [px]."""

TOP = 44
"""Margin above the axes [px]."""

BOTTOM = 60
"""Margin below the axes [px]."""

STYLE = """
.page { fill: #ffffff; } text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1c2330; }
.title { font-weight: 600; font-size: 15px; } .quiet { fill: #5b6573; font-size: 12px; }
.grid { stroke: #d9dee5; } .band { fill: #2f6fd0; opacity: .18; }
.line { fill: none; stroke: #2f6fd0; stroke-width: 2; }
text.pale { fill: #ffffff; } text.dark { fill: #1c2330; }
.dot { fill: #2f6fd0; } .whisker { stroke: #2f6fd0; stroke-width: 2; opacity: .45; }
@media (prefers-color-scheme: dark) {
  .page { fill: #14181f; } text { fill: #e6eaf0; } .quiet { fill: #9aa5b4; } .grid { stroke: #333b47; }
  .band, text.pale { fill: #ffffff; } text.dark { fill: #1c2330; }
.dot { fill: #6ea3f2; } .line, .whisker { stroke: #6ea3f2; }
}
"""


def plot(axes: Sequence[Axis], results: Sequence[Point], title: str) -> str | None:
    """Plot a sweep as SVG; None for more than two settings.

    Args:
        axes: settings that were swept.
        results: statistics of each point, the last axis fastest.
        title: title of the plot.
    """
    if len(axes) > 2:
        return None
    body = _curve(axes[0], results) if len(axes) == 1 else _heat_map(axes[0], axes[1], results)
    total = results[0].total if results else 0
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
            f'role="img" aria-label="{escape(title, quote=True)}">',
            f"<style>{STYLE}</style>",
            f'<rect class="page" width="{WIDTH}" height="{HEIGHT}" rx="6"/>',
            _text(LEFT, 26, title, "start", "title"),
            _text(WIDTH - RIGHT, 26, f"{total} seeds each, 95 % interval", "end", "quiet"),
            *body,
            "</svg>\n",
        ]
    )


def _curve(axis: Axis, results: Sequence[Point]) -> Iterator[str]:
    xs = _places(axis)
    for percent in (0, 25, 50, 75, 100):
        y = _y(percent / 100)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield _text(LEFT - 10, y + 4, f"{percent} %", "end")
    yield _text(18, _y(0.5), "passed", kind="quiet", turned=True)
    shown = _every(len(xs), 12)
    for n, (x, value) in enumerate(zip(xs, axis.values, strict=True)):
        if n % shown == 0:
            yield _text(x, HEIGHT - BOTTOM + 20, value)
    yield _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, axis.key, kind="quiet")
    if axis.numbers is not None and len(results) > 1:
        upper = [f"{x:.1f},{_y(point.high):.1f}" for x, point in zip(xs, results, strict=True)]
        lower = [f"{x:.1f},{_y(point.low):.1f}" for x, point in zip(xs, results, strict=True)]
        yield f'<polygon class="band" points="{" ".join([*upper, *reversed(lower)])}"/>'
        line = " ".join(f"{x:.1f},{_y(point.rate):.1f}" for x, point in zip(xs, results, strict=True))
        yield f'<polyline class="line" points="{line}"/>'
    else:
        for x, point in zip(xs, results, strict=True):
            ends = f'y1="{_y(point.low):.1f}" y2="{_y(point.high):.1f}"'
            yield f'<line class="whisker" x1="{x:.1f}" x2="{x:.1f}" {ends}/>'
    for x, point in zip(xs, results, strict=True):
        dot = f'<circle class="dot" cx="{x:.1f}" cy="{_y(point.rate):.1f}" r="4">'
        yield f"{dot}<title>{_tooltip(point)}</title></circle>"


def _heat_map(down: Axis, across: Axis, results: Sequence[Point]) -> Iterator[str]:
    width = (WIDTH - LEFT - RIGHT - 40) / len(across.values)
    height = (HEIGHT - TOP - BOTTOM) / len(down.values)
    left = LEFT + 40
    names = _every(len(across.values), 12), _every(len(down.values), 14)
    for index, point in enumerate(results):
        row, column = divmod(index, len(across.values))
        x, y = left + column * width, TOP + row * height
        box = f'x="{x:.1f}" y="{y:.1f}" width="{width - 1:.1f}" height="{height - 1:.1f}" rx="2"'
        yield f'<rect {box} fill="{_shade(point.rate)}"><title>{_tooltip(point)}</title></rect>'
        if width > 34 and height > 16:
            kind = "pale" if point.rate > 0.55 else "dark"
            yield _text(x + width / 2, y + height / 2 + 4, f"{point.rate:.0%}", kind=kind)
    for n, value in enumerate(across.values):
        if n % names[0] == 0:
            yield _text(left + (n + 0.5) * width, HEIGHT - BOTTOM + 20, value)
    for n, value in enumerate(down.values):
        if n % names[1] == 0:
            yield _text(left - 8, TOP + (n + 0.5) * height + 4, value, "end")
    yield _text(18, (TOP + HEIGHT - BOTTOM) / 2, down.key, kind="quiet", turned=True)
    yield _text((left + WIDTH - RIGHT) / 2, HEIGHT - 14, across.key, kind="quiet")


def _text(x: float, y: float, text: str, anchor: str = "middle", kind: str = "", turned: bool = False) -> str:
    about = f' class="{kind}"' if kind else ""
    about += f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{about}>{escape(text)}</text>'


def _places(axis: Axis) -> list[float]:
    """Place the values along the axis [px]: numbers to scale, others at equal distances."""
    numbers = axis.numbers or tuple(float(n) for n in range(len(axis.values)))
    low, high = min(numbers), max(numbers)
    # A label is centred on its value, so half of it reaches into the margin.
    margin = 10 if axis.numbers is not None else 60
    span = WIDTH - LEFT - RIGHT - 2 * margin
    return [LEFT + margin + (span * (n - low) / (high - low) if high > low else span / 2) for n in numbers]


def _y(rate: float) -> float:
    return TOP + (1.0 - rate) * (HEIGHT - TOP - BOTTOM)


def _every(count: int, most: int) -> int:
    return max(1, math.ceil(count / most))


def _shade(rate: float) -> str:
    """Interpolate the colour of a rate between pale and the line's blue."""
    pale, full = (226, 234, 246), (31, 87, 178)
    return "#" + "".join(f"{round(a + (b - a) * rate):02x}" for a, b in zip(pale, full, strict=True))


def _tooltip(point: Point) -> str:
    values = ", ".join(f"{key} = {value}" for key, value in point.values.items())
    return escape(f"{values}: {point.passed} of {point.total}, {point.low:.0%} to {point.high:.0%}")
