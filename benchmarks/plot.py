"""A bar for each contestant on a logarithmic scale, as SVG without any library."""

import math
from collections.abc import Mapping
from html import escape

_STYLE = """<style>
text { font: 13px system-ui, sans-serif; fill: #444 }
.bar { fill: #7d8ca3 }
.ours { fill: #1769aa }
.grid { stroke: #bbb; stroke-width: .5 }
@media (prefers-color-scheme: dark) { text { fill: #ccc } .grid { stroke: #555 } }
</style>"""
_LEFT, _WIDTH, _ROW, _TOP = 290, 460, 26, 46


def plot(title: str, figures: Mapping[str, float]) -> str:
    """Return the SVG text, the largest figure first. `figures` are above 0; with none it says so."""
    ordered = sorted(figures.items(), key=lambda pair: -pair[1])
    low = math.floor(math.log10(min(figures.values(), default=1)))
    high = max(math.ceil(math.log10(max(figures.values(), default=10))), low + 1)
    bottom = _TOP + _ROW * len(ordered)

    def across(value: float) -> float:
        return _WIDTH * (math.log10(value) - low) / (high - low)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + 90} {bottom + 30}" role="img">',
        f"<title>{escape(title)}</title>",
        _STYLE,
        f'<text x="12" y="24" font-weight="bold">{escape(title)} (logarithmic)</text>',
    ]
    for power in range(low, high + 1):
        x = _LEFT + across(10**power)
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{_TOP - 6}" x2="{x:.1f}" y2="{bottom}"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{10**power:,}</text>')
    for number, (name, value) in enumerate(ordered):
        y, length = _TOP + number * _ROW, max(across(value), 1)
        ours = "ours" if "listener" in name or "serve" in name else "bar"
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 15}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<rect class="{ours}" x="{_LEFT}" y="{y}" width="{length:.1f}" height="{_ROW - 6}"/>')
        parts.append(f'<text x="{_LEFT + length + 6:.1f}" y="{y + 15}">{value:,.0f}</text>')
    return "\n".join([*parts, "</svg>", ""])
