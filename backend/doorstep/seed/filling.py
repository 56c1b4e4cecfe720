"""Puts the sample company into the database."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth import people as persons
from doorstep.core.ids import uuid7
from doorstep.flows import fleet
from doorstep.modules.earnings import service as earnings
from doorstep.modules.earnings.rules import KINDS
from doorstep.modules.earnings.schemas import RateIn
from doorstep.modules.fsm.schemas import PartsMoved, PriceIn
from doorstep.modules.fsm.service import checklists, extras, manuals, prices, technicians
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.oms import service as oms
from doorstep.modules.scm import service as scm
from doorstep.modules.scm.schemas import VendorData
from doorstep.modules.tms.rules.slots import Slot
from doorstep.modules.tms.service import carriers, slots
from doorstep.modules.wms.service import stock
from doorstep.modules.wms.service.bins import save_bins
from doorstep.seed.calendars import (
    CALENDARS,
    DELIVERY_CAPACITY,
    DELIVERY_LEAD_MINUTES,
    DELIVERY_TIMES,
)
from doorstep.seed.catalogue import (
    BINS,
    CHANNELS,
    CHECKLISTS,
    CITIES,
    COSTS,
    EARNING_RATES,
    EXTRA_PRICES,
    EXTRAS,
    OWN_GOODS,
    PARTS,
    PRODUCTS,
    SOLD_OUT,
)
from doorstep.seed.manuals import MANUALS
from doorstep.seed.people import VANS, SampleUser, crew_of, password_of, sample_users

FULL_SHELF = 400
"""Free pieces of each SKU after seeding, when fewer than half of that are left."""

VENDORS = {
    "AE": ("V-GULF", "Gulf Home Appliances LLC", "AE070331234567890123456", "EBILAEAD"),
    "QA": ("V-DOHA", "Doha Electronics WLL", "QA58DOHB00001234567890ABCDEFG", "DOHBQAQA"),
    "IN": ("V-BLR", "Bengaluru Electricals Pvt Ltd", "1121431121541121", "HDFC0001234"),
    "KW": ("V-KWT", "Kuwait Appliances Co", "KW81CBKU0000000000001234560101", "COMBKWKW"),
}
PARTS_ON_VAN = 10
"""Of each part so many lie on a new technician's van."""

SERVICES = ("standard", "express", "overnight")
PLACES = (("warehouse", "WH"), ("hub", "HUB"), ("carrier", "CARRIER"), ("customer", "CUSTOMERS"))
EVERY_DAY = {str(day): [("08:00", "20:00")] for day in range(1, 8)}
SKILLS = ("laundry", "screens", "cooling")


async def seed() -> None:
    """Fill an empty database with the sample company; top up the shelves of a used one."""
    products = {data.sku: await oms.save_product(data) for data in PRODUCTS}
    parts = {data.sku: await oms.save_product(data) for data in PARTS}
    for sku, checklist in CHECKLISTS.items():
        await checklists.save_checklist(products[sku], checklist)
    for manual in MANUALS:
        await manuals.save_manual(manual, None)
    for country, calendar in CALENDARS.items():
        await helpdesk.save_calendar(country, calendar)
    channels: dict[str, UUID] = {}
    vendors: dict[str, UUID] = {}
    places: dict[tuple[str, str], UUID] = {}
    for channel in CHANNELS:
        code = channel.code
        channels[code] = await oms.save_channel(channel)
        vendors[code] = await _vendor(code, channel.country, channel.zone)
        for sku, cost in COSTS[code].items():
            await scm.save_cost(vendors[code], products[sku], channel.currency, cost)
        for kind, prefix in PLACES:
            places[code, kind] = await _place(code, kind, prefix, channels[code])
        for sku, product_id in products.items():
            if sku in SOLD_OUT:
                continue
            owner = None if sku in OWN_GOODS else vendors[code]
            await _top_up(places[code, "warehouse"], product_id, sku, owner)
        shelves = {products[sku]: written for sku, written in BINS.items()}
        await save_bins(places[code, "warehouse"], shelves, None)
        await _extras(code, channels[code])
        await _earnings(code, channels[code])
        await _delivery_slots(channels[code], channel.working_week)
    await carriers.create_carrier(
        "own-fleet",
        "Doorstep fleet",
        "own",
        [
            carriers.Service(channel, service)
            for channel in channels.values()
            for service in SERVICES
        ],
    )
    await carriers.create_carrier("clickpost", "ClickPost carriers", "aggregator")
    for user in sample_users():
        await _person(user, channels, vendors, places, parts)
    for code, channel_id in channels.items():
        for van in VANS:
            await _crew_with_van(code, channel_id, van)


async def _vendor(channel: str, country: str, zone: str) -> UUID:
    code, name, account, bank = VENDORS[channel]
    return await scm.save_vendor(
        VendorData(
            code=code,
            name=name,
            country=country,
            zone=zone,
            email=f"orders@{code.lower()}.test",
            percentages=[20, 20, 20, 20, 10, 10],
            account_name=name,
            account_number=account,
            bank_code=bank,
        )
    )


async def _earnings(channel: str, channel_id: UUID) -> None:
    for kind, minor in zip(KINDS, EARNING_RATES.get(channel, ()), strict=False):
        rate = RateIn(
            channel_id=channel_id, kind=kind, amount_minor=minor, reason="The sample company's."
        )
        await earnings.save_rate(rate, None)


async def _delivery_slots(channel_id: UUID, working_week: Sequence[int]) -> None:
    if await slots.slots_of(channel_id):
        return
    offered = [
        Slot(uuid7(), weekday, begin, end, DELIVERY_CAPACITY, DELIVERY_LEAD_MINUTES)
        for weekday in working_week
        for begin, end in DELIVERY_TIMES
    ]
    await slots.save_slots(channel_id, offered)


async def _extras(channel: str, channel_id: UUID) -> None:
    for extra, minor in EXTRA_PRICES.get(channel, {}).items():
        unit, sku, names = EXTRAS[extra]
        price = PriceIn(
            channel_id=channel_id, code=extra, names=names, unit=unit, price_minor=minor, sku=sku
        )
        await prices.save_price(price, None)


async def _crew_with_van(channel: str, channel_id: UUID, van: int) -> None:
    actor = Actor.system("seed")
    crew_id, people = crew_of(channel, van)
    await fleet.save_vehicle(
        code=f"VAN-{channel}-{van}",
        channel_id=channel_id,
        plate=f"{channel} {1000 + van}",
        capacity_kg=1200,
        capacity_l=12_000,
        actor=actor,
    )
    await fleet.save_crew(
        crew_id,
        channel_id=channel_id,
        name=f"Crew {channel} {van}",
        lead_id=people[0],
        member_ids=people,
        actor=actor,
    )


async def _place(channel: str, kind: str, prefix: str, channel_id: UUID) -> UUID:
    code = f"{prefix}-{channel}"
    erp = f"ERP-{code}" if kind == "warehouse" else None
    city = CITIES[channel]
    place = {"code": code, "name": f"{city} {kind}", "city": city, "kind": kind}
    return await stock.save_location(place | {"channel_id": channel_id, "erp_store_id": erp})


@db.transactional
async def _top_up(place: UUID, product_id: UUID, sku: str, owner: UUID | None) -> None:
    free = await db.value(
        "SELECT on_hand - held - allocated FROM stock WHERE location_id = $1 AND product_id = $2"
        " AND owner_id IS NOT DISTINCT FROM $3 AND grade = 'sellable'",
        place,
        product_id,
        owner,
    )
    if free is not None and free >= FULL_SHELF // 2:
        return
    delivery = uuid7()
    serialised = sku in CHECKLISTS
    serials = [f"{sku}-{delivery.hex[-10:].upper()}-{n:03}" for n in range(FULL_SHELF)]
    await stock.receive(
        place,
        product_id,
        owner,
        FULL_SHELF,
        ref=f"seed:{delivery}",
        serials=serials if serialised else None,
    )


async def _person(
    user: SampleUser,
    channels: dict[str, UUID],
    vendors: dict[str, UUID],
    places: dict[tuple[str, str], UUID],
    parts: dict[str, UUID],
) -> None:
    if await db.value("SELECT true FROM person WHERE id = $1", user.person_id):
        return
    await persons.create_person(
        person_id=user.person_id,
        role=user.role,
        name=user.name,
        login=user.login,
        password=password_of(user.login) if user.login else None,
        channel_ids=[channels[user.channel]] if user.channel else [],
        location_id=places[user.channel, "warehouse"]
        if user.channel and user.role == "warehouse"
        else None,
        vendor_id=vendors[user.channel] if user.channel and user.role == "vendor" else None,
    )
    if user.role == "technician" and user.channel:
        await technicians.create_technician(
            user.person_id, channels[user.channel], SKILLS, EVERY_DAY
        )
        for sku, part_id in parts.items():
            loaded = PartsMoved(event_id=uuid7(), sku=sku, quantity=PARTS_ON_VAN)
            await extras.move_parts(user.person_id, part_id, loaded, None)
