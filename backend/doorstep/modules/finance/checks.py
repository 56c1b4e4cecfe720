"""What must always hold of money, read from the rows (IM1–IM9 of the invariants).

Each check is one statement and names every violation in words; an empty list is good. They run
after tests, hourly, and for `doorstep doctor`.
"""

from __future__ import annotations

from typing import Any

from doorstep.core import db
from doorstep.modules.finance.rules.payouts import payout_id

_IM1 = """
SELECT format('%s V%s has %s live payouts', p.number, t.number, count(*))
  FROM payout x JOIN tranche t ON t.id = x.tranche_id JOIN purchase_order p ON p.id = t.po_id
 WHERE x.state IN ('due', 'sending', 'unknown', 'paid')
 GROUP BY p.number, t.number HAVING count(*) > 1
UNION ALL
SELECT format('%s V%s: entries say it is paid %s times', p.number, t.number,
              sum(CASE WHEN e.key LIKE 'paid:%' THEN 1 ELSE -1 END))
  FROM payout x JOIN tranche t ON t.id = x.tranche_id JOIN purchase_order p ON p.id = t.po_id
  JOIN journal_entry e ON e.key IN ('paid:' || x.id, 'reversed:' || x.id)
 GROUP BY p.number, t.number
HAVING sum(CASE WHEN e.key LIKE 'paid:%' THEN 1 ELSE -1 END) > 1
"""

# The events that a release was decided on: those up to the heads stored with it.
_IM2 = """
WITH release AS (
  SELECT t.number, p.number AS po_number, p.order_id, p.answered_at, t.released_at,
         f.id, f.collection, f.needs_install, f.has_warranty, h.value::int AS head,
         bool_or(f.needs_install) OVER (PARTITION BY t.id) AS some_install,
         bool_or(f.has_warranty) OVER (PARTITION BY t.id) AS some_warranty
    FROM tranche t
    JOIN purchase_order p ON p.id = t.po_id
    CROSS JOIN jsonb_each_text(t.decided_on) AS h
    JOIN fulfilment f ON f.id = h.key::uuid AND f.state = 'open'
   WHERE t.state = 'released'
), need AS (
  SELECT r.*, unnest(CASE
    WHEN number = 3 THEN ARRAY[CASE WHEN collection THEN 1013 ELSE 1009 END]
    WHEN number = 5 AND needs_install THEN ARRAY[1015]
    WHEN number = 6 AND has_warranty THEN ARRAY[1018]
    -- A mixed order's V5 and V6 wait for those parcels only that are installed or covered (SPEC V).
    WHEN (number = 5 AND some_install) OR (number = 6 AND some_warranty) THEN ARRAY[]::int[]
    WHEN number >= 4 THEN ARRAY[1013] END) AS stage
    FROM release r
)
SELECT format('%s V%s was released before %s', po_number, number, stage) FROM need n
 WHERE NOT EXISTS (
   SELECT FROM journey_event e
    WHERE e.fulfilment_id = n.id AND e.kind = 'stage' AND e.stage = n.stage AND e.seq <= n.head)
UNION ALL
SELECT format('%s V%s was released before the vendor had accepted', po_number, number)
  FROM release WHERE answered_at IS NULL OR answered_at > released_at
UNION ALL
SELECT format('%s V1 was released before the whole price was captured', r.po_number)
  FROM release r JOIN customer_order o ON o.id = r.order_id
 WHERE r.number = 1 AND o.total_minor - coalesce((
         SELECT sum(n.amount_minor) FROM credit_note n
          WHERE n.order_id = r.order_id AND n.created_at <= r.released_at), 0) > (
   SELECT coalesce(sum(greatest(shop, gateway)), 0) FROM (
     SELECT sum(amount_minor) FILTER (WHERE provider = 'shop') AS shop,
            sum(amount_minor) FILTER (WHERE provider <> 'shop') AS gateway
       FROM payment_event e
      WHERE e.order_id = r.order_id AND e.type = 'captured' AND e.recorded_at <= r.released_at
      GROUP BY e.payment_line_id) AS counted)
"""

_IM3 = """
SELECT format('%s is %s, its %s tranches are %s', p.number, p.total_minor, count(t.id),
              coalesce(sum(t.amount_minor + t.withheld_minor), 0))
  FROM purchase_order p LEFT JOIN tranche t ON t.po_id = p.id AND t.currency = p.currency
 WHERE p.state <> 'draft'
 GROUP BY p.id
HAVING count(t.id) <> 6 OR sum(t.amount_minor + t.withheld_minor) <> p.total_minor
"""

_IM4 = """
SELECT format('entry %s is out of balance by %s %s', e.key,
              sum(l.debit_minor - l.credit_minor), l.currency)
  FROM journal_entry e JOIN journal_line l ON l.entry_id = e.id
 GROUP BY e.key, l.currency HAVING sum(l.debit_minor) <> sum(l.credit_minor)
UNION ALL
SELECT format('entry %s has no lines', e.key) FROM journal_entry e
 WHERE NOT EXISTS (SELECT FROM journal_line l WHERE l.entry_id = e.id)
"""

_IM5 = """
WITH sums AS (
  SELECT p.id, p.number, p.state, p.total_minor, p.currency,
         coalesce(sum(t.amount_minor) FILTER (WHERE t.state = 'released'), 0) AS released,
         coalesce(sum(x.amount_minor), 0) AS paid
    FROM purchase_order p
    JOIN tranche t ON t.po_id = p.id
    LEFT JOIN payout x ON x.tranche_id = t.id AND x.state = 'paid'
   GROUP BY p.id
), booked AS (
  SELECT e.po_id,
         coalesce(sum(l.credit_minor) FILTER (WHERE e.key LIKE 'release:%'), 0) AS released,
         coalesce(sum(l.debit_minor) FILTER (WHERE e.key LIKE 'paid:%'), 0)
           - coalesce(sum(l.credit_minor) FILTER (WHERE e.key LIKE 'reversed:%'), 0) AS paid
    FROM journal_entry e JOIN journal_line l ON l.entry_id = e.id AND l.account = 'vendor_payable'
   GROUP BY e.po_id
)
SELECT format('%s of %s: released %s, paid %s', number, total_minor, released, paid)
  FROM sums WHERE NOT (paid <= released AND released <= total_minor)
UNION ALL
SELECT format('%s is %s and has releases', number, state)
  FROM sums WHERE released > 0 AND state NOT IN ('accepted', 'cancelled')
UNION ALL
SELECT format('%s: claimed %s, released %s', s.number, c.claimed, s.released)
  FROM sums s JOIN (SELECT po_id, sum(amount_minor) AS claimed FROM vendor_claim GROUP BY po_id) c
    ON c.po_id = s.id
 WHERE c.claimed > s.released
UNION ALL
SELECT format('%s: the ledger has released %s, paid %s; the rows %s, %s', s.number,
              coalesce(b.released, 0), coalesce(b.paid, 0), s.released, s.paid)
  FROM sums s LEFT JOIN booked b ON b.po_id = s.id
 WHERE (coalesce(b.released, 0), coalesce(b.paid, 0)) <> (s.released, s.paid)
"""

_IM6 = """
SELECT format('%s V%s attempt %s has %s keys', p.number, t.number, x.attempt, count(*))
  FROM payout x JOIN tranche t ON t.id = x.tranche_id JOIN purchase_order p ON p.id = t.po_id
 GROUP BY p.number, t.number, x.attempt HAVING count(DISTINCT x.key) > 1
"""

_KEYS = """
SELECT p.number, t.number AS tranche, x.id, x.tranche_id, x.attempt, x.key
  FROM payout x JOIN tranche t ON t.id = x.tranche_id JOIN purchase_order p ON p.id = t.po_id
"""

# Who placed an order is who passed the first stage of its first parcel.
_IM7 = """
WITH placed AS (
  SELECT DISTINCT ON (f.order_id) f.order_id, e.actor_id
    FROM fulfilment f
    JOIN journey_event e ON e.fulfilment_id = f.id AND e.kind = 'stage' AND e.stage = 1001
   ORDER BY f.order_id, f.parcel
)
SELECT format('%s: its %s was %s by the person who placed it', o.number, a.kind, a.verdict)
  FROM approval a
  JOIN placed ON placed.order_id = a.order_id AND placed.actor_id = a.decided_by
  JOIN customer_order o ON o.id = a.order_id
"""

_IM8 = """
SELECT format('%s V%s was sent %s, not to be before %s', p.number, t.number, x.sent_at, x.not_before)
  FROM payout x JOIN tranche t ON t.id = x.tranche_id JOIN purchase_order p ON p.id = t.po_id
 WHERE x.sent_at < x.not_before
"""

_IQ1 = """
SELECT format('%s V%s is released, and nobody has ordered to pay it', p.number, t.number)
  FROM tranche t JOIN purchase_order p ON p.id = t.po_id
 WHERE t.state = 'released' AND t.amount_minor > 0
   AND NOT EXISTS (SELECT FROM payout x WHERE x.tranche_id = t.id)
"""

# Cash in the couriers' hands by the ledger is exactly what was taken and not counted.
_IM9 = """
SELECT format('cash of stop %s no. %s: taken %s, counted %s', c.pod_id, c.tender_n, t.amount_minor,
              c.amount_minor)
  FROM cash_count_line c JOIN pod_tender t ON t.pod_id = c.pod_id AND t.n = c.tender_n
 WHERE t.amount_minor <> c.amount_minor OR t.method <> 'cash'
UNION ALL
SELECT format('cash of receipt %s no. %s: taken %s, counted %s', c.receipt_id, c.tender_n,
              t.amount_minor, c.amount_minor)
  FROM cash_count_extra c JOIN extra_tender t ON t.receipt_id = c.receipt_id AND t.n = c.tender_n
 WHERE t.amount_minor <> c.amount_minor OR t.method <> 'cash'
UNION ALL
SELECT format('count %s expected %s, its lines are %s', c.id, c.expected_minor,
              coalesce(sum(l.amount_minor), 0))
  FROM cash_count c
  LEFT JOIN (SELECT cash_count_id, amount_minor FROM cash_count_line
             UNION ALL
             SELECT cash_count_id, amount_minor FROM cash_count_extra) l ON l.cash_count_id = c.id
 GROUP BY c.id HAVING coalesce(sum(l.amount_minor), 0) <> c.expected_minor
UNION ALL
SELECT format('couriers should carry %s %s, the ledger says %s', coalesce(taken.open, 0),
              coalesce(taken.currency, booked.currency), coalesce(booked.open, 0))
  FROM (SELECT currency, sum(amount_minor) AS open FROM (
          SELECT d.currency, t.amount_minor
            FROM pod_tender t JOIN pod d ON d.id = t.pod_id
            JOIN journal_entry e ON e.key = 'tender:' || t.pod_id || ':' || t.n
           WHERE NOT EXISTS (SELECT FROM cash_count_line c
                              WHERE c.pod_id = t.pod_id AND c.tender_n = t.n)
          UNION ALL
          SELECT r.currency, t.amount_minor
            FROM extra_tender t JOIN extra_receipt r ON r.id = t.receipt_id
           WHERE t.method = 'cash'
             AND NOT EXISTS (SELECT FROM cash_count_extra c
                              WHERE c.receipt_id = t.receipt_id AND c.tender_n = t.n)) each
         GROUP BY currency) AS taken
  FULL JOIN (SELECT currency, sum(debit_minor - credit_minor) AS open FROM journal_line
              WHERE account = 'courier_cash' GROUP BY currency) AS booked USING (currency)
 WHERE coalesce(taken.open, 0) <> coalesce(booked.open, 0)
"""


async def _violations(statement: str) -> list[str]:
    rows: list[dict[str, Any]] = await db.rows(statement)
    return [row["format"] for row in rows]


async def check_im1() -> list[str]:
    """IM1: a tranche is paid at most once."""
    return await _violations(_IM1)


async def check_im2() -> list[str]:
    """IM2: nothing was released before its condition, judged on the events it was decided on."""
    return await _violations(_IM2)


async def check_im3() -> list[str]:
    """IM3: the six tranches, with what is withheld of them, add to the purchase order exactly."""
    return await _violations(_IM3)


async def check_im4() -> list[str]:
    """IM4: every journal entry balances in every currency."""
    return await _violations(_IM4)


async def check_im5() -> list[str]:
    """IM5: paid ≤ released ≤ total, claimed ≤ released, and the ledger says the same as the rows."""
    return await _violations(_IM5)


async def check_im6() -> list[str]:
    """IM6: an attempt to pay has one key, made of tranche and attempt."""
    strange = [
        f"{row['number']} V{row['tranche']} attempt {row['attempt']} has a key of its own: {row['key']}"
        for row in await db.rows(_KEYS)
        if not row["key"] == str(row["id"]) == str(payout_id(row["tranche_id"], row["attempt"]))
    ]
    return [*await _violations(_IM6), *strange]


async def check_im7() -> list[str]:
    """IM7: nobody approves the order that he has placed."""
    return await _violations(_IM7)


async def check_im8() -> list[str]:
    """IM8: no money goes to a changed account before the change has cooled."""
    return await _violations(_IM8)


async def check_iq1() -> list[str]:
    """IQ1: what is released was ordered to be paid with it."""
    return await _violations(_IQ1)


async def check_im9() -> list[str]:
    """IM9: cash that couriers took is in exactly one count, to the minor unit."""
    return await _violations(_IM9)
