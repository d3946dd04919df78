"""Draw the pictures of the performance page as small SVG files."""

import math
from collections.abc import Sequence
from html import escape

from bench.planning import Curve

_WIDTH, _LEFT, _BAR, _STEP = 720, 250, 16, 28
_COLOURS = ("#b04a3a", "#2f6f4f", "#3a5fb0")
_HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" font-family="sans-serif" font-size="13">'
_BACK = '<rect width="100%" height="100%" fill="#ffffff"/>'


def bars(title: str, values: Sequence[tuple[str, float]], *, unit: str) -> str:
    """Draw horizontal bars, longest first."""
    ordered = sorted(values, key=lambda pair: -pair[1])
    height = 50 + _STEP * len(ordered)
    scale = (_WIDTH - _LEFT - 110) / ordered[0][1]
    lines = [_HEAD.format(_WIDTH, height), _BACK, _text(10, 24, title, bold=True)]
    for place, (name, value) in enumerate(ordered):
        top = 42 + place * _STEP
        ours = name.startswith("reelbus")
        lines.append(_text(_LEFT - 8, top + 13, name, anchor="end", bold=ours))
        colour = _COLOURS[1] if ours else "#a8adb3"
        lines.append(f'<rect x="{_LEFT}" y="{top}" width="{value * scale:.1f}" height="{_BAR}" fill="{colour}"/>')
        lines.append(_text(_LEFT + value * scale + 6, top + 13, f"{value:,.0f} {unit}"))
    return "\n".join([*lines, "</svg>\n"])


def pareto(title: str, curves: Sequence[Curve]) -> str:
    """Draw delay against checks, both logarithmic."""
    width, height, left, bottom = _WIDTH, 420, 60, 370
    checks, delays = (3.0, 30.0), (0.5, 16.0)

    def at(point: tuple[float, float]) -> tuple[float, float]:
        across = math.log(point[0] / checks[0]) / math.log(checks[1] / checks[0])
        up = math.log(point[1] / delays[0]) / math.log(delays[1] / delays[0])
        return left + across * (width - left - 30), bottom - up * (bottom - 45)

    lines = [_HEAD.format(width, height), _BACK, _text(10, 24, title, bold=True)]
    for tick in (3, 4, 6, 8, 12, 16, 24):
        x, _ = at((tick, 1))
        lines.append(f'<line x1="{x:.1f}" y1="45" x2="{x:.1f}" y2="{bottom}" stroke="#e3e5e8"/>')
        lines.append(_text(x, bottom + 18, str(tick), anchor="middle"))
    for delay in (0.5, 1, 2, 4, 8, 16):
        _, y = at((3, delay))
        lines.append(f'<line x1="{left}" y1="{y:.1f}" x2="{width - 30}" y2="{y:.1f}" stroke="#e3e5e8"/>')
        lines.append(_text(left - 8, y + 4, f"{delay:g} s", anchor="end"))
    lines.append(_text(width / 2, height - 12, "checks a job", anchor="middle"))
    for number, curve in enumerate(curves):
        inside = [point for point in curve.points if checks[0] <= point[0] <= checks[1]]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(at, inside))
        colour = _COLOURS[number]
        lines.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        top = 62 + 20 * number
        lines.append(f'<rect x="{width - 230}" y="{top - 10}" width="22" height="4" fill="{colour}"/>')
        lines.append(_text(width - 200, top - 3, curve.name))
    return "\n".join([*lines, "</svg>\n"])


def _text(x: float, y: float, words: str, *, anchor: str = "start", bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{weight} fill="#222">{escape(words)}</text>'
