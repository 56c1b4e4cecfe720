"""A whole shift without a signal: everything that was done at the doors is at the office once, whole."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import asyncpg
from playwright.async_api import Playwright, expect

from doorstep.play import picking
from doorstep.play.captures import today
from doorstep.play.order import OrderPlay, Plan
from doorstep.play.parcel import ParcelPlay
from doorstep.play.visitors import Company
from tests.support.field_app import company, phone
from tests.support.field_face import code_for, enrol, open_face, settled, whole_app_on_the_phone
from tests.support.field_hands import hand_over
from tests.support.pictures import make_12mp_jpeg, make_jpeg
from tests.support.whole_stack import WholeStack

DOORS = 60
PHOTOS = 4
LARGE_EVERY = 7
"""Every so many doors one photo has 12 megapixels: eight of sixty."""

FIRST_SEED = 100_000
"""No other test hands in these pictures: the office holds a proof with a picture that it has seen."""

TAPS_AFTER_PHOTOS = 4

POD = """
SELECT s.id, count(DISTINCT p.id) AS pods, array_agg(DISTINCT x.sha256) AS photos,
       bool_and(x.verified_at IS NOT NULL) AS verified, bool_and(p.signature IS NOT NULL) AS signed
  FROM delivery_stop s JOIN pod p ON p.stop_id = s.id JOIN pod_photo x ON x.pod_id = p.id
 GROUP BY s.id
"""
TAKEN = """(async () => {
  const open = indexedDB.open('doorstep-outbox');
  await new Promise((done) => (open.onsuccess = done));
  const rows = open.result.transaction('media').objectStore('media').getAll();
  await new Promise((done) => (rows.onsuccess = done));
  return rows.result.filter((row) => row.kind === 'photo').map((row) => row.sha256);
})()"""


async def test_a_shift_without_a_signal_arrives_whole_and_once(
    alone: WholeStack, playwright: Playwright, tmp_path: Path, record_property: Any
) -> None:
    async with company(alone) as people:
        parcels = await _planned(people)
        async with phone(playwright, tmp_path / "profile") as context:
            page = await open_face(context, alone)
            await enrol(page, await code_for(alone, "delivery"))
            await page.get_by_role("button", name="Yes, I drive this run").click()
            codes = [await parcel.order.handover_code() for parcel in parcels]
            stops = await _stops(people, parcels)
            await whole_app_on_the_phone(page)
            await context.set_offline(True)
            taps = []
            for n, (parcel, code) in enumerate(zip(parcels, codes, strict=True)):
                pictures = [
                    make_jpeg(800, 600, seed=FIRST_SEED + n * PHOTOS + k) for k in range(PHOTOS)
                ]
                if n % LARGE_EVERY == LARGE_EVERY - 1:
                    pictures[0] = make_12mp_jpeg(seed=FIRST_SEED + n)
                taps.append(await hand_over(page, stops[parcel.id], pictures, code))
            assert max(taps) <= TAPS_AFTER_PHOTOS
            await expect(page.get_by_text("New jobs appear here")).to_be_visible()
            taken = await page.evaluate(TAKEN)
            assert len(taken) == DOORS * PHOTOS
            await context.set_offline(False)
            for parcel in parcels:
                await parcel.reached(1013)
            await settled(page, seconds=DOORS * 20)
    await _whole_and_once(alone, {stop["id"] for stop in stops.values()}, set(taken))
    status, said = await alone.doctor()
    assert status == 0, said
    record_property(
        "counts", f"offline shift: {DOORS} doors, {len(taken)} photos, {max(taps)} taps"
    )


async def _planned(people: Company) -> list[ParcelPlay]:
    """Bring so many orders as far as one run of the executive, not accepted yet."""
    turn = asyncio.Semaphore(6)

    async def one(number: int) -> ParcelPlay:
        async with turn:
            order = OrderPlay(people, Plan(number=number, lines=(("KET-17", 1),)))
            await order.place()
            await order.pay()
            await order.stage_reached(1003)
            parcel = ParcelPlay(order, (await order.order())["parcels"][0])
            await parcel.accept()
            await picking.pick_check_pack(parcel)
            await parcel.reached(1008)
            return parcel

    parcels = await asyncio.gather(*(one(number) for number in range(1, DOORS + 1)))
    dispatcher = await people.staff("dispatcher")
    executive = await people.of("delivery", "AE")
    run = {"person_id": str(executive.user.person_id), "vehicle": "VAN-1"}
    planned = {"planned_on": today("AE").isoformat(), "fulfilment_ids": [one.id for one in parcels]}
    await dispatcher.post("/console/runs", run | planned)
    return [*parcels]


async def _stops(people: Company, parcels: list[ParcelPlay]) -> dict[str, dict[str, Any]]:
    executive = await people.of("delivery", "AE")
    found = {
        stop["fulfilment_id"]: stop
        for run in await executive.get("/field/runs")
        for stop in run["stops"]
    }
    assert found.keys() == {parcel.id for parcel in parcels}
    return found


async def _whole_and_once(stack: WholeStack, stops: set[str], taken: set[str]) -> None:
    connection = await asyncpg.connect(stack.environment["DATABASE_URL"])
    try:
        # The bytes are here; that they are pictures is looked at by a job.
        async with asyncio.timeout(60 + len(taken)):
            rows = await connection.fetch(POD)
            while not all(row["verified"] for row in rows):
                await asyncio.sleep(0.5)
                rows = await connection.fetch(POD)
    finally:
        await connection.close()
    assert {str(row["id"]) for row in rows} == stops
    assert {row["pods"] for row in rows} == {1}
    assert all(row["signed"] for row in rows)
    arrived = [photo for row in rows for photo in row["photos"]]
    assert len(arrived) == len(set(arrived)) and set(arrived) == taken
    blobs = Path(url2pathname(urlsplit(stack.environment["BLOB_URL"]).path))
    files = {file.name: file for file in blobs.rglob("*") if file.is_file()}
    for sha256 in taken:
        assert hashlib.sha256(files[sha256].read_bytes()).hexdigest() == sha256
