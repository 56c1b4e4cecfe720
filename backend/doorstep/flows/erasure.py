"""A customer is forgotten: asked for by the link or at a desk, carried out once nothing is open.

One transaction erases a customer: it locks him before his orders, as an intake does that finds him, so
that an order which arrives meanwhile is either seen and waited for, or finds him no more and is a
new customer's. What goes of which column is data (erasure_columns.json). Money, goods and the chain of
proof stay and point to a row without a name. Files go by an outbox row, after the commit.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import structlog

from doorstep.core import blobs, db, outbox
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.core.clock import now
from doorstep.core.errors import NotFound, Refusal
from doorstep.core.jobs import job, recurring
from doorstep.flows import erasure_columns
from doorstep.flows import erasure_sql as sql
from doorstep.modules.messages import service as messages
from doorstep.modules.messages.service import About, Recipient
from doorstep.modules.privacy import rules
from doorstep.modules.privacy import service as privacy
from doorstep.modules.privacy.service import Way
from doorstep.settings import settings

log = structlog.get_logger(__name__)

ERASED = json.dumps({"erased": True}).encode()
"""What stands for bytes that are gone: readable, so that whoever lists them finds no damage."""

GONE = json.dumps(
    {"type": "answer-erased", "title": "What was answered then is erased.", "status": 410}
).encode()

OWNERS_KEPT = timedelta(days=90)
"""How long a new owner is known after his warranty has ended, for what he claimed in its last days."""

CUSTOMER_OF_ORDER = "SELECT customer_id, channel_id FROM customer_order WHERE id = $1"

# The code of a link goes to the customer's phone, and only where he has none to that of the address.
OWN_PHONE = """
SELECT c.phone IS NOT NULL FROM customer_order o JOIN customer c ON c.id = o.customer_id WHERE o.id = $1
"""

WAITING = """
SELECT e.asked_at, e.waits_for, e.way <> 'retention' AS may_withdraw
  FROM erasure_request e JOIN customer_order o USING (customer_id)
 WHERE o.id = $1 AND e.state = 'waiting'
"""

# Whoever has taken a wish back and asks anew is told again.
READER = """
SELECT o.number, o.language, c.phone, c.email,
       1 + (SELECT coalesce(max(m.attempt), 0) FROM message m
             WHERE m.order_id = o.id AND m.event = 'erasure_asked') AS nth
  FROM customer_order o JOIN customer c ON c.id = o.customer_id WHERE o.id = $1
"""

ANY_DAY = "SELECT (now() AT TIME ZONE zone)::date FROM channel WHERE id = $1"


class NotTheCustomersPhone(Refusal):
    """The code went to a phone that is not known to be the customer's own."""

    title = "We cannot tell that this phone is the customer's. Please write to us instead."


class Traces(msgspec.Struct, kw_only=True):
    """By what the rows of a customer are known; the names are those of erasure_columns.json."""

    customer: UUID
    orders: list[UUID]
    inbound: list[UUID]
    tickets: list[UUID]
    problems: list[UUID]
    labels: list[str]
    contacts: list[str]
    refused: list[str]
    ids: list[str]
    sent: list[str]
    since: datetime
    files: list[str] = []
    erased: bytes = ERASED
    gone: bytes = GONE


# --- Asking ---------------------------------------------------------------------------------------


@db.transactional
async def ask_by_link(
    order_id: UUID, link_hash: bytes, *, gives_up_warranty: bool, actor: Actor
) -> UUID:
    """Keep that the customer of an order wants to be forgotten, as he says on its page.

    Raises: NotFound; NotTheCustomersPhone.
    """
    await scope(actor).require_order(order_id)
    if not await db.value(OWN_PHONE, order_id):
        raise NotTheCustomersPhone
    return await _ask(order_id, "page", gives_up_warranty, link_hash=link_hash)


@db.transactional
async def ask_at_desk(order_id: UUID, way: Way, *, gives_up_warranty: bool, actor: Actor) -> UUID:
    """Keep that the customer of an order wants to be forgotten, as he has told a desk.

    Raises: NotFound.
    """
    await scope(actor).require_order(order_id)
    return await _ask(order_id, way, gives_up_warranty, recorded_by=actor.person_id)


@db.transactional
async def withdraw_by_link(order_id: UUID, *, actor: Actor) -> None:
    """Forget that an order's customer wants to be forgotten, as he says on its page.

    Where nobody has asked, nothing changes. Raises: NotFound; NotTheCustomersPhone.
    """
    await scope(actor).require_order(order_id)
    if not await db.value(OWN_PHONE, order_id):
        raise NotTheCustomersPhone
    await privacy.withdraw(order_id)


@db.transactional
async def withdraw_at_desk(order_id: UUID, *, actor: Actor) -> None:
    """Forget that an order's customer wants to be forgotten, as he has told a desk.

    Raises: NotFound, also where nothing waits.
    """
    await scope(actor).require_order(order_id)
    if not await privacy.withdraw(order_id):
        raise NotFound


async def _ask(
    order_id: UUID,
    way: Way,
    gives_up_warranty: bool,
    *,
    link_hash: bytes | None = None,
    recorded_by: UUID | None = None,
) -> UUID:
    whose = await db.row(CUSTOMER_OF_ORDER, order_id)
    if whose is None:
        raise NotFound
    asked, new = await privacy.ask(
        **whose,
        order_id=order_id,
        way=way,
        gives_up_warranty=gives_up_warranty,
        link_hash=link_hash,
        recorded_by=recorded_by,
    )
    if new and way != "retention":
        await _confirm(order_id)
    await outbox.add("flows.erase_customer", {"request_id": str(asked)})
    return asked


async def _confirm(order_id: UUID) -> None:
    """Tell the customer that we have his wish; afterwards nobody knows any more where to write to."""
    reader = await db.one(READER, order_id)
    await messages.write(
        "erasure_asked",
        About(order_id=order_id, attempt=reader["nth"]),
        Recipient(language=reader["language"], phone=reader["phone"], email=reader["email"]),
        {"company": settings().company_name, "order_number": reader["number"]},
    )


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request as its customer may see it."""

    asked_at: datetime
    waits_for: list[rules.WaitsFor]
    may_withdraw: bool


async def read_of_order(order_id: UUID, *, actor: Actor) -> Asked | None:
    """Tell what the erasure of an order's customer waits for; None where nobody has asked.

    Raises: NotFound.
    """
    await scope(actor).require_order(order_id)
    found = await db.row(WAITING, order_id)
    return None if found is None else Asked(**found)


# --- Carrying it out ------------------------------------------------------------------------------


@job("flows.erase_customer", timeout=120)
@db.transactional
async def erase_customer(payload: dict[str, Any]) -> None:
    """Erase the customer of a request, or say what it waits for: {request_id}."""
    await look_at(UUID(payload["request_id"]))
    await outbox.done()


@recurring("flows.look_at_erasures", every=600, timeout=300)
async def look_at_erasures(_payload: dict[str, Any]) -> None:
    """Look at every request whose time has come: what waits, and what came in after an erasure.

    One that cannot be carried out does not keep the others back; what went wrong ends on the job's row.
    """
    last, failure = UUID(int=0), None
    while found := await privacy.due(last):
        for request_id in found:
            try:
                await look_at(request_id)
            except Exception as failed:
                log.warning("privacy.erasure_failed", request_id=str(request_id), exc_info=True)
                failure = failed
        last = found[-1]
    if failure is not None:
        raise failure


@recurring("flows.find_expired_customers", every=86_400, timeout=300)
async def find_expired_customers(_payload: dict[str, Any]) -> None:
    """Ask for the erasure of every customer whose newest order is older than his channel keeps people."""
    last = UUID(int=0)
    while found := await db.rows(sql.OVER, now(), privacy.DEFAULT_RETENTION_DAYS, last):
        for row in found:
            await _expire(row["order_id"])
        last = found[-1]["id"]


@recurring("flows.forget_past_owners", every=86_400, timeout=60)
async def forget_past_owners(_payload: dict[str, Any]) -> None:
    """Forget whom a warranty was given to, some time after it has ended or was never taken over."""
    await _forget_owners()


@db.transactional
async def _forget_owners() -> None:
    for owner in await db.rows(sql.PAST_OWNERS, (now() - OWNERS_KEPT).date()):
        for statement in sql.OF_PAST_OWNER:
            await db.execute(statement, owner["order_id"], owner["n"])


@db.transactional
async def _expire(order_id: UUID) -> None:
    await _ask(order_id, "retention", True)


@db.transactional
async def look_at(request_id: UUID) -> None:
    """Erase the customer of a request where nothing is open, else say what it waits for.

    After the erasure: erase what phones and webhooks have brought since.
    """
    request = await privacy.lock(request_id)
    if request is None:
        return
    customer = await db.one(sql.CUSTOMER, request["customer_id"])
    orders = await db.rows(sql.ORDERS, request["customer_id"])
    if request["state"] == "waiting" and (reasons := await _reasons(request, orders)):
        await privacy.wait(request_id, reasons)
        return
    await db.value("SELECT set_config('doorstep.erasure', $1, true)", str(request_id))
    erased = await _erase(customer, orders)
    if request["state"] == "waiting":
        await privacy.done(request_id, erased)
        log.info("privacy.customer_erased", request_id=str(request_id))
    else:
        await privacy.swept(request_id, request["done_at"], _sum(request["erased"], erased))


async def _reasons(request: dict[str, Any], orders: list[dict[str, Any]]) -> list[rules.WaitsFor]:
    today = await db.value(ANY_DAY, request["channel_id"])
    found: set[rules.WaitsFor] = set()
    for order in orders:
        found |= {row["code"] for row in await db.rows(sql.OPEN, order["id"], today)}
    return rules.waits(
        found,
        gives_up_warranty=request["gives_up_warranty"],
        last_order_at=max(order["created_at"] for order in orders),
        retention_days=await privacy.retention_days(request["channel_id"]),
        at=now(),
    )


async def _erase(customer: dict[str, Any], orders: list[dict[str, Any]]) -> dict[str, int]:
    """Erase what the file says, in its order; tell how many rows of which table, and how many files."""
    traces = await _traces(customer, orders)
    await db.execute(sql.SKIP_MESSAGES, traces.orders)
    named = await db.rows(sql.FILES, traces.orders, traces.tickets)
    erased: dict[str, int] = {}
    # Pictures come last in the file: only now nothing of his names them any more.
    for statement in erasure_columns.statements():
        if "files" in statement.names and not traces.files:
            traces.files = await _own_files([row["sha256"] for row in named], traces.orders)
            if not traces.files:
                continue
        if count := await db.execute(
            statement.sql, *(getattr(traces, name) for name in statement.names)
        ):
            erased[statement.table] = count
    if traces.files:
        erased["files"] = len(traces.files)
        await outbox.add("flows.delete_erased_files", {"sha256s": traces.files})
    return erased


async def _own_files(sha256s: list[str], orders: list[UUID]) -> list[str]:
    """Leave out what somebody else's rows name as well: the same bytes are kept once for all."""
    rows = await db.rows(sql.NAMED_ELSEWHERE, sha256s, orders)
    return sorted(set(sha256s) - {row["sha256"] for row in rows})


@job("flows.delete_erased_files", timeout=120)
async def delete_erased_files(payload: dict[str, Any]) -> None:
    """Delete the files of somebody who was erased, unless they have come again since: {sha256s}."""
    for sha256 in payload["sha256s"]:
        if await db.value(sql.UNUSED, sha256):
            await blobs.delete(sha256)


# --- Finding his traces ---------------------------------------------------------------------------


async def _traces(customer: dict[str, Any], orders: list[dict[str, Any]]) -> Traces:
    order_ids = [order["id"] for order in orders]
    contacts = await _contacts(customer)
    inbound = _ids(await db.rows(sql.INBOUND, contacts, order_ids))
    tickets = await db.rows(sql.TICKETS, order_ids, inbound)
    ticket_problems = [row["problem_id"] for row in tickets]
    refused = [row["address"] for row in await db.rows(sql.REFUSED, contacts) if not row["wanted"]]
    return Traces(
        customer=customer["id"],
        orders=order_ids,
        inbound=inbound,
        tickets=_ids(tickets),
        problems=_ids(await db.rows(sql.PROBLEMS, order_ids, ticket_problems)),
        labels=[row["label_no"] for row in await db.rows(sql.LABELS, order_ids)],
        contacts=contacts,
        refused=refused,
        ids=[row["id"] for row in await db.rows(sql.IDS, order_ids, _ids(tickets))],
        sent=[*(row["word"] for row in await db.rows(sql.SENT, order_ids)), *_written(contacts)],
        since=min(order["created_at"] for order in orders),
    )


async def _contacts(customer: dict[str, Any]) -> list[str]:
    """List the numbers and addresses that are his alone; after his erasure none is known any more."""
    own = {row["phone"] for row in await db.rows(sql.ADDRESS_PHONES, customer["id"])}
    own |= {contact for contact in (customer["phone"], customer["email"].lower()) if contact}
    shared = await db.rows(sql.SHARED, customer["id"], sorted(own))
    return sorted(own - {row["contact"] for row in shared})


def _written(contacts: list[str]) -> list[str]:
    """Write contacts as webhooks do: numbers without the plus, addresses in forms too."""
    return [
        way
        for contact in contacts
        for way in (
            (contact, contact.replace("@", "%40")) if "@" in contact else (contact.lstrip("+"),)
        )
    ]


def _ids(rows: list[dict[str, Any]]) -> list[UUID]:
    return [row["id"] for row in rows]


def _sum(first: dict[str, int], second: dict[str, int]) -> dict[str, int]:
    return {name: first.get(name, 0) + second.get(name, 0) for name in {*first, *second}}
