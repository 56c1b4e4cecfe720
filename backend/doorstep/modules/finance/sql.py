"""Hand-written statements of finance."""

from __future__ import annotations

POST = "SELECT ledger_post($1)"

LEDGER_OF_ORDER = """
SELECT e.id, e.key, e.memo, e.po_id, e.occurred_at, e.recorded_at,
       jsonb_agg(jsonb_build_object(
         'account', l.account, 'currency', l.currency,
         'debit_minor', l.debit_minor, 'credit_minor', l.credit_minor) ORDER BY l.position) AS lines
  FROM journal_entry e JOIN journal_line l ON l.entry_id = e.id
 WHERE e.order_id = $1
 GROUP BY e.id
 ORDER BY e.recorded_at, e.key
"""

# --- Payments of customers ------------------------------------------------------------------

# The shop's record, as intake wrote it, becomes an event of its own; once a gateway or the desk
# has told of money, a captured line is the fold of those events and no longer the shop's word.
RECORD_SHOP = """
INSERT INTO payment_event (id, provider, action_id, payment_id, type, order_id, payment_line_id,
                           amount_minor, currency, happened_at, recorded_at)
SELECT new_id(), 'shop', p.line_id::text, p.reference, 'captured', $1, p.line_id,
       p.amount_minor, $2, $3, clock_timestamp() + $4::interval
  FROM unnest($5::uuid[], $6::text[], $7::bigint[]) AS p (line_id, reference, amount_minor)
 WHERE NOT EXISTS (SELECT FROM payment_event e
                    WHERE e.payment_line_id = p.line_id AND e.type = 'captured')
ON CONFLICT ON CONSTRAINT payment_event_action_key DO NOTHING
RETURNING id, payment_line_id, amount_minor
"""

RECORD_PAYMENT = """
INSERT INTO payment_event (id, provider, action_id, payment_id, type, order_id, payment_line_id,
                           amount_minor, currency, happened_at, recorded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, clock_timestamp() + $11::interval)
ON CONFLICT ON CONSTRAINT payment_event_action_key DO NOTHING
RETURNING id
"""

# What is said as of a moment, by the providers' clocks; without one, everything.
TOLD = """
SELECT payment_line_id AS line_id,
       coalesce(sum(amount_minor) FILTER (WHERE type = 'captured' AND provider = 'shop'), 0)::bigint
         AS shop_minor,
       coalesce(sum(amount_minor)
         FILTER (WHERE type = 'captured' AND provider <> 'shop'), 0)::bigint AS gateway_minor,
       coalesce(sum(amount_minor) FILTER (WHERE type = 'refunded'), 0)::bigint AS refunded_minor,
       coalesce((array_agg(type ORDER BY happened_at DESC, action_id DESC, type DESC)
                 FILTER (WHERE type IN ('authorised', 'failed', 'hold')))[1], '') AS last_word
  FROM payment_event WHERE order_id = $1 AND happened_at <= coalesce($2::timestamptz, 'infinity')
 GROUP BY payment_line_id
"""

MONEY_MOVED = """
SELECT DISTINCT happened_at FROM payment_event
 WHERE order_id = $1 AND happened_at > $2 AND type IN ('captured', 'refunded') ORDER BY 1
"""

DESK_REFUND = """
SELECT id, order_id, method, amount_minor, currency, reference FROM desk_refund WHERE id = $1
"""

KEEP_DESK_REFUND = """
INSERT INTO desk_refund (id, order_id, method, amount_minor, currency, reference, recorded_by,
                         recorded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING
"""

# --- Approvals --------------------------------------------------------------------------------

_POLICY = "SELECT channel_id, version, event_id, rules, reason, set_by, set_at FROM approval_policy"

POLICY = f"{_POLICY} WHERE channel_id = $1 ORDER BY version DESC LIMIT 1"

POLICY_OF_EVENT = f"{_POLICY} WHERE event_id = $1"

KEEP_DEFAULT_POLICY = """
INSERT INTO approval_policy (channel_id, version, event_id, rules, reason, set_at)
VALUES ($1, 1, $2, $3, 'The default.', $4)
ON CONFLICT ON CONSTRAINT approval_policy_pkey DO NOTHING
"""

# Only the version after the newest one: who edited an older one gets no row.
SET_POLICY = """
INSERT INTO approval_policy (channel_id, version, event_id, rules, reason, set_by, set_at)
SELECT $1, $2, $3, $4, $5, $6, $7
 WHERE $2 = 1 + (SELECT coalesce(max(version), 0) FROM approval_policy WHERE channel_id = $1)
ON CONFLICT DO NOTHING
RETURNING version
"""

_APPROVAL = """id, order_id, kind, verdict, decided, reasons, policy_version, facts, decided_by,
  decided_role, decided_at"""

APPROVAL = f"SELECT {_APPROVAL} FROM approval WHERE id = $1"  # noqa: S608 - a constant of this file

APPROVAL_KNOWN = "SELECT true FROM approval WHERE id = $1"

STANDING = f"""
SELECT {_APPROVAL} FROM approval WHERE order_id = $1 AND kind = $2
 ORDER BY (verdict <> 'waiting') DESC LIMIT 1
"""  # noqa: S608 - as above

RECORD_APPROVAL = f"""
INSERT INTO approval (id, order_id, kind, verdict, decided, reasons, channel_id, policy_version,
                      facts, decided_by, decided_role, decided_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
RETURNING {_APPROVAL}
"""  # noqa: S608 - as above

# --- Tranches ---------------------------------------------------------------------------------

OPEN_SCHEDULE = """
INSERT INTO tranche (id, po_id, vendor_id, number, percent, amount_minor, currency, reason,
                     created_at, updated_at)
SELECT new_id(), $1, $2, part.number, part.percent, part.amount_minor, $3, $6, $7, $7
  FROM unnest($4::smallint[], $5::bigint[]) WITH ORDINALITY AS part (percent, amount_minor, number)
ON CONFLICT ON CONSTRAINT tranche_number_key DO NOTHING
"""

LOCK_TRANCHES = """
SELECT id, number, percent, amount_minor, withheld_minor, currency, state, reason, is_advance
  FROM tranche WHERE po_id = $1 ORDER BY number FOR NO KEY UPDATE
"""

# The moment is the database's: it is compared with when money came in and vendors answered (IM2),
# which other processes have written.
JUDGE = """
UPDATE tranche t
   SET state = d.state, reason = d.reason, updated_at = m.moment,
       amount_minor = t.amount_minor - d.withheld_minor, withheld_minor = d.withheld_minor,
       eligible_at = coalesce(
         t.eligible_at, CASE WHEN d.state IN ('eligible', 'released') THEN m.moment END),
       released_at = CASE WHEN d.state = 'released' THEN m.moment END,
       decided_on = CASE WHEN d.state = 'released' THEN $3::jsonb END,
       is_advance = d.state = 'released' AND $4
  FROM unnest($5::uuid[], $6::text[], $7::text[], $8::bigint[])
         AS d (id, state, reason, withheld_minor),
       (SELECT clock_timestamp() + $2::interval AS moment) m
 WHERE t.id = d.id AND t.po_id = $1 AND t.state <> 'released'
"""

TRANCHES = """
SELECT t.id, t.number, t.percent, t.amount_minor, t.withheld_minor, t.currency, t.state, t.reason,
       t.eligible_at, t.released_at,
       p.id AS payout_id, p.attempt AS payout_attempt, p.state AS payout_state,
       p.reason AS payout_reason, p.bank_ref AS payout_bank_ref, p.answered_at AS payout_answered_at
  FROM tranche t
  LEFT JOIN LATERAL (
    SELECT * FROM payout p WHERE p.tranche_id = t.id ORDER BY p.attempt DESC LIMIT 1) p ON true
 WHERE t.po_id = $1
 ORDER BY t.number
"""

CLAIMED = "SELECT coalesce(sum(amount_minor), 0)::bigint FROM vendor_claim WHERE po_id = $1"

CLAIM = """
INSERT INTO vendor_claim (id, po_id, amount_minor, currency, claimed_at)
VALUES ($1, $2, $3, $4, $5)
"""

# --- Payouts ----------------------------------------------------------------------------------

ORDER_PAYOUTS = """
INSERT INTO payout (id, tranche_id, po_id, vendor_id, attempt, amount_minor, currency, key,
                    beneficiary_name, beneficiary_account, beneficiary_bank_code, ordered_by,
                    not_before, created_at)
SELECT d.id, t.id, t.po_id, t.vendor_id, d.attempt, t.amount_minor, t.currency, d.id::text,
       $1, $2, $3, $4, $5, $6
  FROM unnest($7::uuid[], $8::uuid[], $9::smallint[]) AS d (id, tranche_id, attempt)
  JOIN tranche t ON t.id = d.tranche_id
"""

PAYOUT_COLUMNS = """
p.id, p.tranche_id, p.po_id, p.attempt, p.amount_minor, p.currency, p.key, p.state, p.bank_ref,
p.beneficiary_name, p.beneficiary_account, p.beneficiary_bank_code, p.not_before, p.sent_at,
po.number AS po_number, po.order_id, t.number
"""

LOCK_PAYOUT = f"""
SELECT {PAYOUT_COLUMNS}
  FROM payout p JOIN tranche t ON t.id = p.tranche_id JOIN purchase_order po ON po.id = p.po_id
 WHERE p.id = $1 FOR NO KEY UPDATE OF p
"""  # noqa: S608 - the columns are a constant of this file

LOCK_PAYOUT_OF_EVENT = f"""
SELECT {PAYOUT_COLUMNS}
  FROM payout p JOIN tranche t ON t.id = p.tranche_id JOIN purchase_order po ON po.id = p.po_id
 WHERE p.key = $1 OR ($2 <> '' AND p.bank_ref = $2) FOR NO KEY UPDATE OF p
"""  # noqa: S608 - as above

SEND_PAYOUT = "UPDATE payout SET state = 'sending', sent_at = $2 WHERE id = $1 AND state = 'due'"

RECORD_WORD = """
INSERT INTO payout_event (id, payout_id, state, raw_status, bank_ref, reason, source, recorded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT ON CONSTRAINT payout_event_said_once DO NOTHING
"""

ANSWER_PAYOUT = """
UPDATE payout
   SET state = $2, bank_ref = CASE WHEN $3 = '' THEN bank_ref ELSE $3 END, reason = $4,
       answered_at = $5, sent_at = coalesce(sent_at, $5)
 WHERE id = $1
"""

OTHER_LIVE = """
SELECT EXISTS (SELECT FROM payout WHERE tranche_id = $1 AND id <> $2
                 AND state IN ('due', 'sending', 'unknown', 'paid'))
"""

LOCK_TRANCHE_FOR_PAYOUT = """
SELECT t.id, t.state, t.number, t.po_id, t.amount_minor,
       coalesce((SELECT max(p.attempt) FROM payout p WHERE p.tranche_id = t.id), 0) AS attempts,
       EXISTS (SELECT FROM payout p WHERE p.tranche_id = t.id
                 AND p.state IN ('due', 'sending', 'unknown', 'paid')) AS live
  FROM tranche t WHERE t.id = $1 FOR NO KEY UPDATE OF t
"""

# --- Cash -------------------------------------------------------------------------------------

CASH_COUNT = """
SELECT c.id, c.currency, c.expected_minor, c.counted_minor,
       array(SELECT l.order_id FROM cash_count_line l WHERE l.cash_count_id = c.id
             UNION ALL
             SELECT x.order_id FROM cash_count_extra x WHERE x.cash_count_id = c.id) AS order_ids
  FROM cash_count c WHERE c.id = $1
"""

RECORD_CASH_COUNT = """
INSERT INTO cash_count (id, run_id, shift_id, currency, expected_minor, counted_minor, note,
                        counted_by, counted_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""

RECORD_CASH_OF = {
    "door": """
INSERT INTO cash_count_line (cash_count_id, pod_id, tender_n, order_id, amount_minor)
SELECT $1, l.pod_id, l.n, l.order_id, l.amount_minor
  FROM unnest($2::uuid[], $3::smallint[], $4::uuid[], $5::bigint[])
    AS l (pod_id, n, order_id, amount_minor)
""",
    "visit": """
INSERT INTO cash_count_extra (cash_count_id, receipt_id, tender_n, order_id, amount_minor)
SELECT $1, l.receipt_id, l.n, l.order_id, l.amount_minor
  FROM unnest($2::uuid[], $3::smallint[], $4::uuid[], $5::bigint[])
    AS l (receipt_id, n, order_id, amount_minor)
""",
}
"""Where the cash of a count was taken → how its lines are kept."""
