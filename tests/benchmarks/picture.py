"""A stacked bar of where a worker's time goes, as SVG."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

_WIDTH, _BAR, _ROW = 720, 48, 22
_COLOURS = ["#4269d0", "#efb118", "#3ca951", "#ff725c", "#6cc5b0", "#a463f2", "#9c9c9c"]


def stacked_bar(seconds: Mapping[str, float], title: str) -> str:
    """One bar, a part for each step in the order given, and a legend with seconds and shares."""
    total_s = sum(seconds.values())
    parts, left = [], 0.0
    for at, (step, took_s) in enumerate(seconds.items()):
        colour, width = _COLOURS[at % len(_COLOURS)], took_s / total_s * _WIDTH
        parts.append(_rect(left, 30, width, _BAR, colour))
        top = 30 + _BAR + 12 + at * _ROW
        parts.append(_rect(0, top, 14, 14, colour))
        parts.append(_text(22, top + 12, f"{step}: {took_s:.2f} s, {took_s / total_s:.0%}"))
        left += width
    height = 30 + _BAR + 12 + len(seconds) * _ROW
    body = "\n".join([_text(0, 18, title), *parts])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'font-family="sans-serif" font-size="14">\n'
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>\n{body}\n</svg>\n'
    )


def _rect(left: float, top: float, width: float, height: float, colour: str) -> str:
    return (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'fill="{colour}"/>'
    )


def _text(left: float, top: float, text: str) -> str:
    return f'<text x="{left:.1f}" y="{top:.1f}">{escape(text)}</text>'
