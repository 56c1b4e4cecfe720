"""Violations of money: tranches, payouts, entries, approvals, credit notes and cash."""

from __future__ import annotations

from tests.support.plants.plant import Plant, copies

ONE_PAYOUT = (
    "DROP INDEX payout_one_live",
    "payout",
    "CREATE UNIQUE INDEX payout_one_live ON payout (tranche_id)"
    " WHERE state IN ('due', 'sending', 'unknown', 'paid')",
)
ONE_ATTEMPT = (
    "ALTER TABLE payout DROP CONSTRAINT payout_attempt_key",
    "payout",
    "ALTER TABLE payout ADD CONSTRAINT payout_attempt_key UNIQUE (tranche_id, attempt)",
)

AGAIN = (
    "INSERT INTO payout SELECT new_id(), tranche_id, po_id, vendor_id, 2, amount_minor, currency,"
    " left(new_id()::text, 30), {state}, beneficiary_name, beneficiary_account,"
    " beneficiary_bank_code, '', '', 'x', not_before, created_at, sent_at, answered_at"
    " FROM payout WHERE amount_minor = 20001"
)

CREDIT = (
    "WITH note AS (INSERT INTO credit_note (id, order_id, fulfilment_id, reason, amount_minor,"
    " currency, created_at) SELECT new_id(), o.id, f.id, 'cancelled', {amount}, o.currency, now()"
    " FROM customer_order o JOIN fulfilment f ON f.order_id = o.id ORDER BY f.id LIMIT 1"
    " RETURNING *)"
    " INSERT INTO credit_note_line SELECT n.id, l.id, o.id, o.quantity + {more}, {lines}"
    " FROM note n JOIN fulfilment_line l ON l.fulfilment_id = n.fulfilment_id"
    " JOIN order_line o ON o.id = l.order_line_id ORDER BY l.id LIMIT 1"
)

PLANTS = {
    "a tranche has two living payouts": Plant(
        "IM1", ("payout",), (AGAIN.format(state="'paid'"),), (ONE_PAYOUT,)
    ),
    "a tranche is booked as paid twice": Plant(
        "IM1",
        ("payout", "journal_entry", "journal_line"),
        (
            AGAIN.format(state="'failed'"),
            "INSERT INTO journal_entry SELECT (jsonb_populate_record(e, jsonb_build_object("
            " 'id', new_id(), 'key', 'paid:' || x.id))).* FROM journal_entry e"
            " JOIN payout p ON e.key = 'paid:' || p.id"
            " JOIN payout x ON x.tranche_id = p.tranche_id AND x.attempt = 2",
        ),
    ),
    "a tranche was released before its stage": Plant(
        "IM2",
        ("tranche",),
        ("UPDATE tranche SET decided_on = (SELECT jsonb_object_agg(key, 1)"
         " FROM jsonb_each(decided_on)) WHERE number = 4",),
    ),
    "a tranche was released before the acceptance": Plant(
        "IM2",
        ("purchase_order",),
        ("UPDATE purchase_order SET answered_at = now() + interval '1 day'",),
    ),
    "the first tranche was released before the money came": Plant(
        "IM2", ("payment_event",), ("DELETE FROM payment_event",)
    ),
    "the tranches are more than the purchase order": Plant(
        "IM3",
        ("tranche",),
        ("UPDATE tranche SET amount_minor = amount_minor + 1 WHERE number = 1",),
    ),
    "money is withheld for goods that stayed": Plant(
        "IM5 gone",
        ("tranche",),
        ("UPDATE tranche SET amount_minor = amount_minor - 1, withheld_minor = 1"
         " WHERE number = 1 AND state = 'released'",),
    ),
    "an entry does not balance": Plant(
        "IM4",
        ("journal_line",),
        ("UPDATE journal_line SET debit_minor = debit_minor + 1 WHERE debit_minor > 0",),
    ),
    "an entry has no lines": Plant("IM4", ("journal_line",), ("DELETE FROM journal_line",)),
    "a declined purchase order was paid": Plant(
        "IM5", ("purchase_order",), ("UPDATE purchase_order SET state = 'declined'",)
    ),
    "the ledger knows nothing of the payouts": Plant(
        "IM5",
        ("journal_entry", "journal_line"),
        ("DELETE FROM journal_line l USING journal_entry e WHERE e.id = l.entry_id"
         " AND e.key LIKE 'paid:%'", "DELETE FROM journal_entry WHERE key LIKE 'paid:%'"),
    ),
    "a payout is sent with a second key": Plant(
        "IM6",
        ("payout",),
        (copies("payout", "'id', new_id(), 'key', new_id(), 'state', 'failed'"),),
        (ONE_ATTEMPT,),
    ),
    "a key was drawn, not made of tranche and attempt": Plant(
        "IM6", ("payout",), ("UPDATE payout SET key = left(new_id()::text, 30)",)
    ),
    "a payout is of an attempt that its key does not name": Plant(
        "IM6", ("payout",), ("UPDATE payout SET attempt = attempt + 1",)
    ),
    "nobody is asked about a payout without an answer": Plant(
        "IM6 silence",
        ("payout",),
        ("UPDATE payout SET state = 'unknown', sent_at = now() - interval '25 hours'",),
    ),
    "the answered question about a payout is of another day": Plant(
        "IM6 silence",
        ("payout", "problem"),
        ("UPDATE payout SET state = 'sending', sent_at = now() - interval '25 hours'",
         "INSERT INTO problem (id, kind, title, ref, owner_role, due_at, opened_at, closed_at)"
         " SELECT new_id(), 'payout_unknown', 'x', id::text, 'finance', now(), now(), now()"
         " FROM payout"),
    ),
    "whoever placed the order approved its payment": Plant(
        "IM7",
        ("approval",),
        ("UPDATE approval a SET decided_by = e.actor_id FROM journey_event e"
         " WHERE e.order_id = a.order_id AND e.stage = 1001 AND a.decided = 'person'",),
    ),
    "money was sent before the account had cooled": Plant(
        "IM8", ("payout",), ("UPDATE payout SET not_before = sent_at + interval '1 second'",)
    ),
    "a released tranche was not ordered to be paid": Plant(
        "IQ1 payouts", ("payout",), ("DELETE FROM payout",)
    ),
    "more pieces are credited than were ordered": Plant(
        "IM5 credited pieces",
        ("credit_note", "credit_note_line"),
        (CREDIT.format(amount=0, lines=0, more=1),),
    ),
    "more money is credited than the order costs": Plant(
        "IM5 credited money",
        ("credit_note", "credit_note_line"),
        (CREDIT.format(amount="o.total_minor + 1", lines="n.amount_minor", more=0),),
    ),
    "a credit note is not the sum of its lines": Plant(
        "IM5 credited money",
        ("credit_note", "credit_note_line"),
        (CREDIT.format(amount=2, lines=1, more=0),),
    ),
    "cash was counted that nobody took": Plant(
        "IM9", ("pod_tender",), ("UPDATE pod_tender SET amount_minor = amount_minor + 1",)
    ),
    "a count expected what its lines do not say": Plant(
        "IM9", ("cash_count",), ("UPDATE cash_count SET expected_minor = expected_minor + 1",)
    ),
    "couriers carry cash that the ledger does not know": Plant(
        "IM9", ("cash_count_line", "cash_count"), ("DELETE FROM cash_count_line",)
    ),
}  # fmt: skip
