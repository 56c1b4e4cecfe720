"""Violations around earnings: work without its line, a line without its work, a sum that is not the rate."""

from __future__ import annotations

from tests.support.plants.plant import Plant

TABLES = ("earning_line", "earning_rate")
RATE = """
INSERT INTO earning_rate (id, channel_id, kind, version, amount_minor, valid_from, reason, set_at)
SELECT gen_random_uuid(), c.id, 'delivery', 1, 500, now() - interval '400 days', 'Canary',
       now() - interval '2 hours'
  FROM channel c
 WHERE NOT EXISTS (
   SELECT FROM earning_rate r WHERE r.channel_id = c.id AND r.kind = 'delivery')
"""
LINE = """
INSERT INTO earning_line (event_id, kind, person_id, n, channel_id, rate_id, order_id, number, currency,
                          amount_minor, reason, words, worked_at, worked_on, made_at)
SELECT {work}, 'delivery', p.person_id, 1, r.channel_id, r.id, p.order_id, 'DS-0', 'AED',
       {amount}, 'done', '',
       now(), current_date, now()
  FROM (SELECT * FROM pod WHERE verdict = 'applied' LIMIT 1) p
  JOIN customer_order o ON o.id = p.order_id
  JOIN earning_rate r ON r.channel_id = o.channel_id AND r.kind = 'delivery'
 LIMIT 1
"""

PLANTS = {
    "a delivery counts and has earned nothing": Plant(
        "IM earnings", TABLES, ("DELETE FROM earning_line", RATE)
    ),
    "something was earned by no work": Plant(
        "IM earnings",
        TABLES,
        (RATE, LINE.format(work="gen_random_uuid()", amount="r.amount_minor")),
    ),
    "a line is not what its rate makes": Plant(
        "IM earned sums",
        TABLES,
        ("DELETE FROM earning_line", RATE, LINE.format(work="p.id", amount="r.amount_minor + 1")),
    ),
}
