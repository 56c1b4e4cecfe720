"""Violations around extras: a sum that its lines do not make, and a part that nobody has sold."""

from __future__ import annotations

from tests.support.plants.plant import Plant

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
    "a part has left the van that nobody was sold": Plant(
        "IS parts", TABLES, (SOLD.format(charged=0), USED)
    ),
}
