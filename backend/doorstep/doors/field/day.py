"""What a person has done today as the office has it, and the cash that is still in the hands."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from litestar import get
from msgspec import Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.clock import now
from doorstep.doors.field import sold
from doorstep.flows import shift_close

# The last word on a job counts; its hour is the one at which it was captured, not the one at which
# it came in. Today is the day on the clock of the job's channel.
DONE_TODAY = f"""
SELECT d.kind, d.id, o.number, a.name, d.outcome, d.captured_at AS at,
       concat_ws(', ', nullif(a.line1, ''), nullif(a.area, ''), nullif(a.city, '')) AS address,
       coalesce(CASE WHEN d.kind = 'visit' AND d.outcome = 'done' THEN (
           SELECT jsonb_agg(jsonb_build_object('name', g.name, 'quantity', g.quantity, 'serials', g.serials,
                    'warranty_months', g.warranty_months) ORDER BY g.name, g.id)
             FROM (SELECT l.id, p.name, p.warranty_months, count(*) AS quantity,
                          coalesce(array_agg(u.serial ORDER BY u.n)
                                     FILTER (WHERE u.serial <> ''), '{{}}') AS serials
                     FROM visit_report_unit u
                     JOIN fulfilment_line l ON l.id = u.fulfilment_line_id
                     JOIN product p ON p.id = l.product_id
                    WHERE u.report_id = d.word GROUP BY l.id, p.id) g)
         ELSE (
           SELECT jsonb_agg(jsonb_build_object('name', p.name, 'quantity', l.quantity, 'serials', array(
                    SELECT u.serial FROM unit u WHERE u.fulfilment_line_id = l.id ORDER BY u.serial),
                    'warranty_months', 0) ORDER BY p.name, l.id)
             FROM fulfilment_line l JOIN product p ON p.id = l.product_id
            WHERE l.fulfilment_id = d.fulfilment_id AND (d.kind = 'stop' OR p.needs_install))
         END, '[]') AS goods,
       (SELECT k.event_id FROM capture k WHERE k.event_id = d.word AND k.person_id = $1) AS event_id,
       (SELECT max(w.recorded_at) FROM field_word w
         WHERE w.amends = d.word AND w.person_id = $1) AS amended_at,
       coalesce(({sold.EXTRAS}), '[]') AS extras, coalesce(({sold.RECEIPTS}), '[]') AS receipts,
       jsonb_build_object('reason', d.reason, 'name', d.taken_by, 'photos', d.photos,
                          'signed', d.signed, 'code_ok', d.code_ok, 'kept_back', d.kept_back,
                          'kept', coalesce((
                            SELECT jsonb_agg(jsonb_build_object('name', p.name,
                                     'quantity', (b ->> 'quantity')::int, 'reason', b ->> 'reason'))
                              FROM pod h, jsonb_array_elements(h.kept_back) b
                              JOIN fulfilment_line l ON l.id = (b ->> 'fulfilment_line_id')::uuid
                              JOIN product p ON p.id = l.product_id
                             WHERE h.id = d.word), '[]'),
                          'tenders', coalesce((
                            SELECT jsonb_agg(jsonb_build_object('method', t.method,
                                     'amount_minor', t.amount_minor, 'reference', t.reference) ORDER BY t.n)
                              FROM pod_tender t WHERE t.pod_id = d.word), '[]'),
                          'amount_minor', d.amount_minor, 'currency', o.currency) AS recorded
  FROM (SELECT DISTINCT ON (e.kind, e.id) e.* FROM (
        SELECT 'stop' AS kind, p.stop_id AS id, p.id AS word, p.order_id, p.fulfilment_id,
               'done' AS outcome, p.captured_at,
               p.recorded_at, NULL AS reason, p.receiver_name AS taken_by,
               (SELECT count(*) FROM pod_photo h WHERE h.pod_id = p.id) AS photos,
               p.signature IS NOT NULL AS signed, p.code_ok, p.tendered_minor AS amount_minor,
               (SELECT coalesce(sum((b ->> 'quantity')::int), 0)
                  FROM jsonb_array_elements(p.kept_back) b) AS kept_back
          FROM pod p
         WHERE p.person_id = $1 AND p.recorded_at > $2::timestamptz - interval '2 days'
           AND p.verdict NOT IN ('rejected', 'duplicate')
        UNION ALL
        SELECT 'stop', t.stop_id, t.id, t.order_id, t.fulfilment_id, 'failed', t.captured_at, t.recorded_at,
               t.reason, '', cardinality(t.photos), false, NULL, 0, 0
          FROM delivery_attempt t
         WHERE t.person_id = $1 AND t.recorded_at > $2::timestamptz - interval '2 days'
           AND t.verdict NOT IN ('rejected', 'duplicate')
        UNION ALL
        SELECT 'visit', r.visit_id, r.id, r.order_id, r.fulfilment_id, 'done', r.captured_at, r.recorded_at,
               NULL, r.signer_name,
               (SELECT count(*) FROM visit_report_photo h WHERE h.report_id = r.id),
               r.signature IS NOT NULL, NULL, 0, 0
          FROM visit_report r
         WHERE r.technician_id = $1 AND r.recorded_at > $2::timestamptz - interval '2 days'
           AND r.verdict NOT IN ('rejected', 'duplicate')
        UNION ALL
        SELECT 'visit', x.visit_id, x.id, x.order_id, x.fulfilment_id, 'failed', x.captured_at, x.recorded_at,
               x.reason, '', cardinality(x.photos), false, NULL, 0, 0
          FROM visit_failure x
         WHERE x.technician_id = $1 AND x.recorded_at > $2::timestamptz - interval '2 days'
           AND x.verdict NOT IN ('rejected', 'duplicate')) e
         ORDER BY e.kind, e.id, e.captured_at DESC, e.recorded_at DESC) d
  JOIN LATERAL (SELECT CASE d.kind WHEN 'visit' THEN d.id END AS id) v ON true
  JOIN customer_order o ON o.id = d.order_id
  JOIN address a ON a.id = o.address_id
  JOIN channel c ON c.id = o.channel_id
 WHERE (d.captured_at AT TIME ZONE c.zone)::date = ($2::timestamptz AT TIME ZONE c.zone)::date
 ORDER BY d.captured_at, d.id
"""  # noqa: S608 - constants of ours


class Taken(Struct):
    """Money that was taken at a door, and how."""

    method: str
    amount_minor: int
    reference: str


class Kept(Struct):
    """Goods that were not handed over, and why."""

    name: str
    quantity: int
    reason: str


class Recorded(Struct, kw_only=True):
    """What was captured of a job: why it failed, or who took the goods or agreed to the work.

    `code_ok` is null where nobody told a code; `amount_minor` is what was taken at the door, by `tenders`
    one by one; `kept_back` counts the pieces that were not handed over, `kept` names them.
    """

    reason: str | None
    name: str
    photos: int
    signed: bool
    code_ok: bool | None
    amount_minor: int
    currency: str
    kept_back: int
    kept: list[Kept]
    tenders: list[Taken]


class DoneGoods(Struct):
    """Goods of a job that is over, with the serials that they bear as far as they are known."""

    name: str
    quantity: int
    serials: list[str]
    warranty_months: int


class DoneJob(Struct, kw_only=True):
    """A door or a visit of today that the office knows to be over, and how it went.

    `event_id` is the capture that said so, which can be amended; null where no phone of this person did.
    `amended_at` is when the person has said last what was wrong with it; `extras` and `receipts` are what
    was sold beside the order at a visit, and how it was paid.
    """

    kind: Literal["stop", "visit"]
    id: UUID
    number: str
    name: str
    address: str
    goods: list[DoneGoods]
    outcome: Literal["done", "failed"]
    at: datetime
    recorded: Recorded
    extras: list[sold.SoldAtVisit]
    receipts: list[sold.ReceiptAtVisit]
    event_id: UUID | None = None
    amended_at: datetime | None = None


class CashInHand(Struct, kw_only=True):
    """Money that was taken at doors and that no desk has counted."""

    currency: str
    amount_minor: int


class OwnDay(Struct, kw_only=True):
    """What is over of today in the order in which it was done, and what is to be handed in."""

    done: list[DoneJob]
    cash: list[CashInHand]


@get("/field/day", operation_id="readOwnDay", opt=needs("tms:shift:work"), tags=["transport"])
async def read_own_day(actor: Actor) -> OwnDay:
    """Tell a person what the office has of the day, and the cash that it still expects."""
    cash = [] if actor.person_id is None else await shift_close.cash_in_hand(actor.person_id)
    return OwnDay(
        done=msgspec.convert(await db.rows(DONE_TODAY, actor.person_id, now()), list[DoneJob]),
        cash=[CashInHand(currency=one.currency, amount_minor=one.amount_minor) for one in cash],
    )


handlers = [read_own_day]
"""The routes of this door."""
