"""Use-cases of crm: links, feedback, warranties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.errors import NotFound, Refusal
from doorstep.core.ids import uuid7
from doorstep.modules.crm import rules, sql


class FeedbackAlreadyGiven(Refusal):
    """The parcel was rated before; the first words stand."""

    title = "You have already rated this parcel. Thank you!"


class CertificateMissing(NotFound):
    """No such certificate, or not behind this link: both look the same."""

    title = "There is no such certificate."


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer says about one parcel; ratings run from 1 to 5, photos are hashes of kept files."""

    event_id: UUID
    delivery_rating: int
    installation_rating: int | None
    words: str
    photos: Sequence[str] = ()

    @property
    def lowest(self) -> int:
        """The worse of the ratings."""
        return min(self.delivery_rating, self.installation_rating or self.delivery_rating)


class Warranty(msgspec.Struct, frozen=True, kw_only=True):
    """A warranty without its paper yet; `installed_on` is None for goods only delivered."""

    id: UUID
    number: str
    sku: str
    product: str
    serial: str | None
    quantity: int
    starts_on: date
    ends_on: date
    order_number: str
    language: Literal["en", "hi", "ar"]
    customer_name: str
    purchased_on: date
    installed_on: date | None


# --- Links --------------------------------------------------------------------------------------


async def add_link(order_id: UUID) -> str:
    """Make one more link to an order, as good as its first, and return its secret, kept nowhere."""
    token, token_hash = rules.new_token()
    await db.execute(sql.ADD_LINK, token_hash, order_id, now())
    return token


@db.transactional
async def limit_links(order_id: UUID, until: datetime) -> None:
    """Let the order's links end at a moment, unless they end sooner."""
    await db.execute(sql.LIMIT_LINKS, order_id, until)


@db.transactional
async def revoke_links(order_id: UUID) -> None:
    """Close every link of an order at once; from then on they look like wrong ones."""
    await db.execute(sql.REVOKE_LINKS, order_id, now())


# --- Feedback -----------------------------------------------------------------------------------


@db.transactional
async def keep_feedback(order_id: UUID, fulfilment_id: UUID, feedback: Feedback) -> UUID:
    """Store what the customer says of a parcel, with its photos, once; the same answer again finds it.

    Raises: FeedbackAlreadyGiven for another answer.
    """
    kept = await db.one(
        sql.KEEP_FEEDBACK,
        uuid7(),
        order_id,
        fulfilment_id,
        feedback.event_id,
        feedback.delivery_rating,
        feedback.installation_rating,
        feedback.words,
        now(),
    )
    if kept["event_id"] != feedback.event_id:
        raise FeedbackAlreadyGiven
    feedback_id: UUID = kept["id"]
    await db.execute(sql.KEEP_FEEDBACK_PHOTOS, feedback_id, list(feedback.photos))
    return feedback_id


# --- Warranties ---------------------------------------------------------------------------------


@db.transactional
async def register_warranties(
    order_id: UUID, fulfilment_id: UUID, lines: Sequence[rules.Line], starts_on: date
) -> int:
    """Write the warranties of a parcel, each once; tell how many the parcel brings."""
    covered = rules.coverages(lines)
    await db.execute(
        sql.REGISTER_WARRANTIES,
        order_id,
        fulfilment_id,
        starts_on,
        now(),
        [uuid7() for _ in covered],
        [rules.new_warranty_number() for _ in covered],
        [one.fulfilment_line_id for one in covered],
        [one.product_id for one in covered],
        [one.unit_id for one in covered],
        [one.serial for one in covered],
        [one.quantity for one in covered],
        [rules.warranty_end(starts_on, one.months) for one in covered],
    )
    return len(covered)


@db.transactional
async def activate_warranties(certificates: Mapping[UUID, str]) -> None:
    """Record the stored certificates, {warranty id: sha256}; the first one of each stays."""
    await db.execute(
        sql.ACTIVATE_WARRANTIES, list(certificates), list(certificates.values()), now()
    )


async def verify_certificate(number: str) -> dict[str, Any]:
    """Tell whoever holds a certificate whether it is genuine; nothing personal.

    Raises: CertificateMissing.
    """
    found = await db.row(sql.VERIFY, number.upper(), now())
    if found is None:
        raise CertificateMissing
    return found


async def lessen_warranties(pieces: Mapping[UUID, int]) -> None:
    """Let warranties, {id: pieces}, cover no more than is still there; none left makes one void."""
    await db.execute_many(
        "UPDATE warranty SET state = CASE WHEN $2 < 1 THEN 'void' ELSE state END,"
        " quantity = CASE WHEN $2 < 1 THEN quantity ELSE least(quantity, $2) END WHERE id = $1",
        sorted(pieces.items()),
    )


async def move_warranties(fulfilment_line_id: UUID, to_fulfilment_id: UUID) -> None:
    """Let the warranties of a line belong to the parcel in which the line is now."""
    await db.execute(
        "UPDATE warranty SET fulfilment_id = $2 WHERE fulfilment_line_id = $1",
        fulfilment_line_id,
        to_fulfilment_id,
    )


async def void_warranties(fulfilment_id: UUID) -> None:
    """Take back the warranties of goods that went back: their certificates prove nothing any more."""
    await db.execute(
        "UPDATE warranty SET state = 'void' WHERE fulfilment_id = $1 AND state <> 'void'",
        fulfilment_id,
    )
