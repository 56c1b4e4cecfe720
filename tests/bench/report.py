"""What was found: figures with their targets, as a table and as `bench.json`."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec


class Target(NamedTuple):
    """What a figure must reach and what would be fine; a limit from above if less is better."""

    must: float
    stretch: float
    less_is_better: bool = False

    def reached(self, value: float) -> str:
        """Say which column a value reaches: stretch, must or neither."""
        sign = -1 if self.less_is_better else 1
        if value * sign >= self.stretch * sign:
            return "stretch"
        return "must" if value * sign >= self.must * sign else "neither"


TARGETS = {
    "intake": Target(30, 45),
    "oversold": Target(0, 0, less_is_better=True),
    "tracking, uncached": Target(15, 20),
    "tracking, 304": Target(40, 60),
    "scan, single": Target(35, 50),
    "scan, batch of 100": Target(400, 650),
    "sync push, single": Target(30, 45),
    "sync push, batch of 100": Target(60, 90),
    "advance": Target(20, 35),
    "job start, p50": Target(5, 5, less_is_better=True),
    "job start, p99": Target(30, 20, less_is_better=True),
    "worker, idle": Target(0.5, 0.5, less_is_better=True),
    "photo": Target(300, 250, less_is_better=True),
    "push": Target(2500, 3200),
}
"""In the unit of the figure: percent of the limit, messages per second, or milliseconds where less is
better."""


class Figure(msgspec.Struct, kw_only=True):
    """One measured thing. `facts` are the absolute numbers behind it, each with its unit."""

    name: str
    value: float
    unit: str
    facts: dict[str, float]

    @property
    def target(self) -> Target:
        """The target of this figure."""
        return TARGETS[self.name]

    @property
    def reached(self) -> str:
        """Which column is reached."""
        return self.target.reached(round(self.value, 2))


def write(file: Path, figures: Sequence[Figure], *, seconds: float) -> None:
    """Keep the figures as JSON."""
    content = {
        "measured_at": datetime.now(UTC),
        "seconds": round(seconds, 1),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "figures": [
            {
                "name": figure.name,
                "value": round(figure.value, 2),
                "unit": figure.unit,
                "must": figure.target.must,
                "stretch": figure.target.stretch,
                "reached": figure.reached,
                "facts": {name: round(fact, 3) for name, fact in figure.facts.items()},
            }
            for figure in figures
        ],
    }
    file.write_bytes(msgspec.json.format(msgspec.json.encode(content)) + b"\n")


def show(figure: Figure) -> str:
    """Write a figure as one line of the table, and its facts as a second one."""
    target = figure.target
    sign = "≤" if target.less_is_better else "≥"
    facts = " · ".join(f"{name} {_short(fact)}" for name, fact in figure.facts.items())
    return (
        f"{figure.name:<20} {_short(figure.value):>7} {figure.unit:<14}"
        f" must {sign} {_short(target.must):<5} stretch {sign} {_short(target.stretch):<5}"
        f" reached: {figure.reached}\n    {facts}"
    )


def _short(number: float) -> str:
    if number == int(number) or abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:.1f}" if abs(number) >= 10 else f"{number:.2f}"
