"""Violations around extras: a sum that its lines do not make, and a part that nobody has sold."""

from __future__ import annotations

from tests.support.plants.plant import Plant

PAID = """
INSERT INTO extra_receipt (id, number, order_id, fulfilment_id, visit_id, person_id, currency,
                           extra_ids, billed_minor, paid_before_minor, paid_minor, shown_minor,
                           bill_later, disagreements, captured_at, recorded_at)
SELECT gen_random_uuid(), 'R', v.order_id, v.fulfilment_id, v.id, v.technician_id, 'AED', '{{}}', 0, 0,
       {paid}, 0, false, '{{}}', now(), now()
  FROM visit v LIMIT 1
"""
TENDER = """
INSERT INTO extra_tender (receipt_id, n, method, amount_minor, reference)
SELECT r.id, 1, '{method}', 100, 'A1' FROM extra_receipt r
"""
RECEIPTS = ("extra_tender", "extra_receipt")

TABLES = ("part_movement", "visit_extra_line", "visit_extra")
SOLD = """
INSERT INTO visit_extra (id, order_id, fulfilment_id, visit_id, technician_id, currency, charged_minor,
                         shown_minor, signer_name, disagreements, captured_at, recorded_at)
SELECT gen_random_uuid(), v.order_id, v.fulfilment_id, v.id, v.technician_id, 'AED', {charged}, {charged},
       'Canary', '{{}}', now(), now()
  FROM visit v LIMIT 1
"""
NO_PRICE = """
INSERT INTO visit_extra_line (extra_id, n, named_id, quantity, net_minor, tax_minor)
SELECT x.id, 1, gen_random_uuid(), 1, 0, 0 FROM visit_extra x
"""
USED = """
INSERT INTO part_movement (id, technician_id, product_id, quantity, kind, extra_id, words, made_at)
SELECT gen_random_uuid(), x.technician_id, p.id, -1, 'used', x.id, '', now()
  FROM visit_extra x, (SELECT id FROM product LIMIT 1) p
"""

PLANTS = {
    "extras charge more than their lines make": Plant(
        "IM extras", TABLES, (SOLD.format(charged=100), NO_PRICE)
    ),
    "a customer owes for extras what no entry tells of": Plant(
        "IM extras money", TABLES, (SOLD.format(charged=100), NO_PRICE)
    ),
    "a receipt says that more was paid than its tenders": Plant(
        "IM receipts", RECEIPTS, (PAID.format(paid=5),)
    ),
    "a number stands on two receipts": Plant(
        "IM receipts", RECEIPTS, (PAID.format(paid=0), PAID.format(paid=0))
    ),
    "extras were paid by a card, and no entry tells of it": Plant(
        "IM extras money", RECEIPTS, (PAID.format(paid=100), TENDER.format(method="debit_card"))
    ),
    "a technician carries cash that the ledger does not know": Plant(
        "IM9", RECEIPTS, (PAID.format(paid=100), TENDER.format(method="cash"))
    ),
    "a part has left the van that nobody was sold": Plant(
        "IS parts", TABLES, (SOLD.format(charged=0), USED)
    ),
}
