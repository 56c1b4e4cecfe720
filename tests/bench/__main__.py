"""`python -m tests.bench`: measure everything, or `--only` some of it; see the package."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import uvloop

from doorstep import app, worker
from doorstep.core import logging
from tests.bench import intake, moving, photo, push, scanning, starting, syncing, tracking
from tests.bench.machine import ROOT, Machine
from tests.bench.report import Figure, show, write
from tests.bench.world import make_world, order_bodies

PARTS = ("intake", "tracking", "scan", "sync", "advance", "jobs", "photo", "push")
ORDERS_PER_SECOND = 600
"""How many orders are prepared for each second of measuring: about what two cores manage."""

MOVES_PER_ORDER = 4
"""One stage of a journey with its reactions is about as much work as so many orders."""

BASE, RECORDED = "base", "recorded"


def main() -> int:
    """Measure, print, write `bench.json`; the status is 0 unless something broke."""
    options = _parser().parse_args()
    logging.configure(as_json=True, level="ERROR")
    began = time.monotonic()
    machine = Machine()
    try:
        machine.start()
        figures = uvloop.run(_measure(machine, options))
    finally:
        machine.stop()
    seconds = time.monotonic() - began
    write(options.out, figures, seconds=seconds)
    print(f"{seconds:.0f} s in all; {options.out.name} has the numbers")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=PARTS, help="may be given again")
    parser.add_argument(
        "--seconds", type=float, default=4.0, help="about how long each side of a figure runs"
    )
    parser.add_argument("--processes", type=int, default=1, help="of the API")
    parser.add_argument("--out", type=Path, default=ROOT / "bench.json")
    return parser


async def _measure(machine: Machine, options: argparse.Namespace) -> list[Figure]:
    wanted = options.only or PARTS
    await machine.create(BASE)
    machine.point_settings_at(BASE)
    worker.compose()
    world = await make_world(machine, BASE)
    application = app.create_app()
    figures: list[Figure] = []

    def found(*new: Figure) -> None:
        figures.extend(new)
        for figure in new:
            print(show(figure), flush=True)

    orders = int(options.seconds * ORDERS_PER_SECOND)
    if {"intake", "tracking", "scan", "sync", "advance"} & set(wanted):
        bodies = order_bodies(orders)
        await machine.copy(BASE, RECORDED)
        works = await intake.record(application, machine, RECORDED, world, bodies)
    if "intake" in wanted:
        found(*await intake.measure(machine, BASE, world, bodies, works, options.processes))
    if "tracking" in wanted:
        found(*await tracking.measure(application, machine, RECORDED, orders, options.processes))
    if "scan" in wanted:
        found(*await scanning.measure(application, machine, RECORDED, world, orders))
    if "sync" in wanted:
        found(*await syncing.measure(application, machine, RECORDED, orders))
    if "advance" in wanted:
        found(await moving.measure(machine, RECORDED, orders // MOVES_PER_ORDER))
    if "jobs" in wanted:
        found(*await starting.measure(machine, BASE))
    if "photo" in wanted:
        found(photo.measure())
    if "push" in wanted:
        found(await push.measure(options.seconds))
    return figures


if __name__ == "__main__":
    sys.exit(main())
