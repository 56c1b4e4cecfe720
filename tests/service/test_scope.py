"""Whose rows are whose: every role sees its own and nothing of anybody else's."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from doorstep.core import db as core_db
from doorstep.core.actor import ROLES, Actor
from doorstep.core.auth.scope import DESKS, FLOORS, scope
from doorstep.core.errors import NotFound
from tests.support.stack import Cleaner

pytestmark = pytest.mark.usefixtures("db")


class World:
    """One fulfilment with everything that makes it somebody's; no two share anything."""

    def __init__(self) -> None:
        self.fulfilment, self.order, self.channel = uuid4(), uuid4(), uuid4()
        self.location, self.vendor = uuid4(), uuid4()
        self.driver, self.courier, self.technician = uuid4(), uuid4(), uuid4()

    def rows(self) -> list[str]:
        """Return the rows, without the ones they refer to: no condition looks at those."""
        run, manifest, piece, shipment = uuid4(), uuid4(), uuid4(), uuid4()
        return [
            f"""INSERT INTO fulfilment (id, order_id, channel_id, parcel, location_id, owner_id,
                                        needs_vendor, needs_install, has_warranty)
                VALUES ('{self.fulfilment}', '{self.order}', '{self.channel}', 1,
                        '{self.location}', '{self.vendor}', true, true, true)""",
            f"""INSERT INTO delivery_run (id, number, channel_id, person_id, vehicle, planned_on,
                                          planned_at)
                VALUES ('{run}', '{run}', '{self.channel}', '{self.driver}', 'van', current_date,
                        now())""",
            f"""INSERT INTO delivery_stop (id, run_id, order_id, fulfilment_id, position)
                VALUES ('{uuid4()}', '{run}', '{self.order}', '{self.fulfilment}', 1)""",
            f"""INSERT INTO shipment (id, order_id, fulfilment_id, carrier_id, leg, attempt,
                                      service, awb)
                VALUES ('{shipment}', '{self.order}', '{self.fulfilment}', '{uuid4()}',
                        'outbound', 1, 'standard', '{shipment}')""",
            f"""INSERT INTO piece (id, shipment_id, package_id, n, of, label_no, weight_g)
                VALUES ('{piece}', '{shipment}', '{uuid4()}', 1, 1, '{piece}', 1)""",
            f"""INSERT INTO manifest (id, number, carrier_id, location_id, courier_id, created_at)
                VALUES ('{manifest}', '{manifest}', '{uuid4()}', '{self.location}',
                        '{self.courier}', now())""",
            f"INSERT INTO manifest_piece VALUES ('{manifest}', '{piece}')",
            f"""INSERT INTO visit (id, order_id, fulfilment_id, technician_id, skills, during,
                                   booked_at)
                VALUES ('{uuid4()}', '{self.order}', '{self.fulfilment}', '{self.technician}',
                        '{{}}', tstzrange(now(), now() + interval '1 hour'), now())""",
        ]

    def in_a_crew(self, person: UUID) -> list[str]:
        """Return the rows that give its run to a shift that this person works."""
        shift = uuid4()
        return [
            f"""INSERT INTO shift (id, number, crew_id, vehicle_id, channel_id, lead_id, planned_on,
                                   planned_at)
                VALUES ('{shift}', '{shift}', '{uuid4()}', '{uuid4()}', '{self.channel}',
                        '{uuid4()}', current_date, now())""",
            f"INSERT INTO shift_member VALUES ('{shift}', '{person}', false)",
            f"UPDATE delivery_run SET shift_id = '{shift}' WHERE channel_id = '{self.channel}'",
        ]

    def actor(self, role: str) -> Actor:
        """Make the actor of this role to whom this fulfilment belongs."""
        person = {
            "delivery": self.driver,
            "courier": self.courier,
            "technician": self.technician,
        }.get(role, uuid4())
        return Actor(
            role=role,
            source="person",
            person_id=person,
            channel_ids=(self.channel,) if role in DESKS else (),
            location_id=self.location if role in FLOORS else None,
            vendor_id=self.vendor if role == "vendor" else None,
            order_id=self.order if role == "customer" else None,
        )


async def seen_by(actor: Actor) -> set[UUID]:
    condition, arguments = scope(actor).fulfilments("f", first=2)
    rows = await core_db.rows(
        f"SELECT f.id FROM fulfilment f WHERE $1::int = 1 AND {condition}", 1, *arguments
    )
    return {row["id"] for row in rows}


@pytest.mark.parametrize("role", [role for role in ROLES if role != "system"])
async def test_each_role_sees_its_own_and_nothing_else(role: str, _cleaner: Cleaner) -> None:
    mine, foreign = World(), World()
    await _cleaner.tamper(*mine.rows(), *foreign.rows())
    actor = mine.actor(role)
    assert await seen_by(actor) == {mine.fulfilment}
    await scope(actor).require_fulfilment(mine.fulfilment)
    for strange in (foreign.fulfilment, uuid4()):
        with pytest.raises(NotFound):
            await scope(actor).require_fulfilment(strange)


@pytest.mark.parametrize("role", ["courier", "delivery", "technician"])
async def test_who_works_a_shift_sees_what_it_delivers_and_its_planner_does_not(
    role: str, _cleaner: Cleaner
) -> None:
    mine, foreign, person = World(), World(), uuid4()
    await _cleaner.tamper(*mine.rows(), *foreign.rows(), *mine.in_a_crew(person))
    assert await seen_by(Actor(role=role, source="phone", person_id=person)) == {mine.fulfilment}
    # The person that the run once named is not of the crew.
    assert await seen_by(Actor(role="delivery", source="phone", person_id=mine.driver)) == set()


@pytest.mark.parametrize(
    "role", sorted({*FLOORS, "vendor", "customer", "courier", "delivery", "technician", "unheard"})
)
async def test_without_what_ties_it_to_something_a_role_sees_nothing(
    role: str, _cleaner: Cleaner
) -> None:
    await _cleaner.tamper(*World().rows())
    assert await seen_by(Actor(role=role, source="person", person_id=uuid4())) == set()


@pytest.mark.parametrize("role", [*sorted(DESKS), "system"])
async def test_no_channel_means_every_channel(role: str, _cleaner: Cleaner) -> None:
    await _cleaner.tamper(*World().rows(), *World().rows())
    assert len(await seen_by(Actor(role=role, source="person"))) == 2


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    ("method", "table", "argument"),
    [
        ("orders", "customer_order o", "o"),
        ("of_order", "payment_line l", "l.order_id"),
        ("of_fulfilment", "shipment s", "s.fulfilment_id"),
        ("channels", "customer_order o", "o.channel_id"),
        ("locations", "location l", "l"),
        ("stock", "stock s", "s"),
        ("purchase_orders", "purchase_order p", "p"),
    ],
)
async def test_every_condition_runs_on_the_real_tables(
    role: str, method: str, table: str, argument: str
) -> None:
    limited: Any = getattr(scope(World().actor(role)), method)
    condition, arguments = limited(argument)
    assert await core_db.rows(f"SELECT 1 FROM {table} WHERE {condition}", *arguments) == []


def test_an_alias_is_a_name_and_nothing_else() -> None:
    sales = scope(Actor(role="warehouse", source="person", location_id=uuid4()))
    with pytest.raises(ValueError, match="not the name"):
        sales.fulfilments("f; DROP TABLE fulfilment")
