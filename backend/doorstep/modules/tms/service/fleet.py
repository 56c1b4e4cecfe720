"""Vehicles and crews of our own fleet (SPEC J, crew and pieces)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

import asyncpg

from doorstep.core import db
from doorstep.core.ids import uuid7
from doorstep.modules.tms.refusals import (
    CrewMissing,
    CrewNameTaken,
    CrewWithoutDriver,
    VehicleCodeTaken,
)


async def find_vehicle(code: str) -> dict[str, Any] | None:
    """Read a vehicle by its code: id, channel and the location that its goods stand at."""
    return await db.row("SELECT id, channel_id, location_id FROM vehicle WHERE code = $1", code)


@db.transactional
async def save_vehicle(
    *,
    code: str,
    channel_id: UUID,
    plate: str,
    capacity_kg: int,
    capacity_l: int,
    location_id: UUID,
    active: bool,
) -> UUID:
    """Add a vehicle, or change the one with this code; return its id.

    Raises: VehicleCodeTaken when the code is another channel's.
    """
    saved: UUID | None = await db.value(
        "INSERT INTO vehicle (id, code, channel_id, plate, capacity_kg, capacity_l, location_id,"
        " active) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
        " ON CONFLICT (code) DO UPDATE SET plate = excluded.plate,"
        " capacity_kg = excluded.capacity_kg, capacity_l = excluded.capacity_l,"
        " active = excluded.active WHERE vehicle.channel_id = excluded.channel_id RETURNING id",
        uuid7(),
        code,
        channel_id,
        plate,
        capacity_kg,
        capacity_l,
        location_id,
        active,
    )
    if saved is None:
        raise VehicleCodeTaken(code=code)
    return saved


@db.transactional
async def save_crew(
    crew_id: UUID,
    *,
    channel_id: UUID,
    name: str,
    lead_id: UUID,
    member_ids: Collection[UUID],
    active: bool,
) -> None:
    """Write who belongs to a crew; shifts that are planned but not open get these people too.

    Raises: CrewWithoutDriver when the lead is not among the members; CrewNameTaken; CrewMissing
    for the id of another channel's crew.
    """
    if lead_id not in member_ids:
        raise CrewWithoutDriver
    try:
        saved = await db.value(
            "INSERT INTO crew (id, channel_id, name, lead_id, active) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT (id) DO UPDATE SET name = excluded.name, lead_id = excluded.lead_id,"
            " active = excluded.active WHERE crew.channel_id = excluded.channel_id RETURNING id",
            crew_id,
            channel_id,
            name,
            lead_id,
            active,
        )
    except asyncpg.UniqueViolationError as taken:
        raise CrewNameTaken(name=name) from taken
    if saved is None:
        raise CrewMissing
    people = sorted(set(member_ids))
    await db.execute(
        "DELETE FROM crew_member WHERE crew_id = $1 AND person_id <> ALL ($2)", crew_id, people
    )
    await db.execute(
        "INSERT INTO crew_member (crew_id, person_id) SELECT $1, unnest($2::uuid[])"
        " ON CONFLICT DO NOTHING",
        crew_id,
        people,
    )
    for shift in await db.rows(
        "UPDATE shift SET lead_id = $2 WHERE crew_id = $1 AND state = 'planned' RETURNING id",
        crew_id,
        lead_id,
    ):
        await man(shift["id"], crew_id)


async def man(shift_id: UUID, crew_id: UUID) -> None:
    """Let the people of a crew, as it stands now, work a shift that is not open yet."""
    await db.execute(
        "DELETE FROM shift_member WHERE shift_id = $1 AND person_id NOT IN"
        " (SELECT person_id FROM crew_member WHERE crew_id = $2)",
        shift_id,
        crew_id,
    )
    await db.execute(
        "INSERT INTO shift_member (shift_id, person_id)"
        " SELECT $1, person_id FROM crew_member WHERE crew_id = $2 ON CONFLICT DO NOTHING",
        shift_id,
        crew_id,
    )
