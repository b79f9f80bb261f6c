"""Bars: what is measured, what it must reach, what it should."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Bar:
    """One figure of a run, beside what was asked of it."""

    name: str
    value: float
    must: float
    aim: float
    unit: str = ""
    at_most: bool = True
    """Whether less is better."""
    note: str = ""
    raw: dict[str, list[float]] = field(default_factory=dict)
    """The figures it was made of, a list of rounds each."""
    missing: str = ""
    """Why it could not be measured; `value` means nothing then."""

    def reaches(self, bound: float) -> bool:
        if self.missing:
            return False
        return self.value <= bound if self.at_most else self.value >= bound

    @property
    def verdict(self) -> str:
        if self.missing:
            return "not measured"
        if self.reaches(self.aim):
            return "aim"
        return "must" if self.reaches(self.must) else "MISSED"


def table(bars: list[Bar]) -> str:
    """Return the Markdown table of a run."""
    lines = ["| bar | measured | must | aim | reached |", "|---|---|---|---|---|"]
    for bar in bars:
        sign = "≤" if bar.at_most else "≥"
        shown = (
            f"not measured: {bar.missing}"
            if bar.missing
            else " ".join(filter(None, [f"{bar.value:.3g}", bar.unit, f"({bar.note})" if bar.note else ""]))
        )
        lines.append(f"| {bar.name} | {shown} | {sign} {bar.must:g} | {bar.aim:g} | {bar.verdict} |")
    return "\n".join(lines)
