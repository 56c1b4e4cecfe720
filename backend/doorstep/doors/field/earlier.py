"""Visits that are over at the same customer's, also for other orders, as the technician's card has them."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

# Of a visit named v with its order o, the customer k and the address a. A customer is known by the phone
# number, in the same channel: whoever else lives at the address is nobody of whom anything is told here.
EARLIER = """
SELECT jsonb_agg(jsonb_build_object('starts_at', e.starts_at, 'visited_at', e.visited_at, 'state', e.state,
                 'purpose', e.purpose, 'reason', e.reason,
                 'words', e.words, 'number', e.number, 'here', e.here, 'units', e.units)
                 ORDER BY e.visited_at, e.id)
  FROM (SELECT w.id, lower(w.during) AS starts_at,
               coalesce(done.at, f.at, lower(w.during)) AS visited_at, w.state, w.purpose, x.number,
               coalesce(f.reason, '') AS reason, coalesce(f.words, '') AS words,
               (lower(b.line1), lower(b.building), lower(b.flat), lower(b.city))
                 = (lower(a.line1), lower(a.building), lower(a.flat), lower(a.city)) AS here,
               coalesce((SELECT jsonb_agg(jsonb_build_object('model', p.name, 'serial', n.serial)
                                          ORDER BY n.n)
                  FROM visit_report_unit n
                  JOIN fulfilment_line l ON l.id = n.fulfilment_line_id
                  JOIN product p ON p.id = l.product_id
                 WHERE n.report_id = done.id), '[]') AS units
          FROM visit w
          JOIN customer_order x ON x.id = w.order_id
          JOIN address b ON b.id = x.address_id
          LEFT JOIN LATERAL (SELECT r.id, least(r.captured_at, r.recorded_at) AS at
                               FROM visit_report r
                              WHERE r.visit_id = w.id AND r.verdict = 'applied'
                              ORDER BY r.recorded_at DESC, r.id DESC LIMIT 1) done ON true
          LEFT JOIN LATERAL (SELECT reason, words, least(y.captured_at, y.recorded_at) AS at
                               FROM visit_failure y WHERE y.visit_id = w.id
                              ORDER BY y.recorded_at DESC, y.id LIMIT 1) f ON true
         WHERE w.id <> v.id AND w.state IN ('completed', 'failed')
           AND w.order_id IN (SELECT v.order_id
                               UNION
                              SELECT z.id FROM customer c JOIN customer_order z ON z.customer_id = c.id
                               WHERE c.phone = k.phone AND z.channel_id = o.channel_id)
         ORDER BY lower(w.during) DESC, w.id DESC LIMIT 10) e
"""


class InstalledBefore(Struct):
    """What was put to use then; `serial` is empty for goods without one."""

    model: str
    serial: str


class EarlierVisit(Struct):
    """A visit at the same customer's that is over; `reason` and `words` tell why one has failed.

    It was booked for `starts_at`, and captured at `visited_at`. `number` of its order; `here`: at the
    same address as this one.
    """

    starts_at: datetime
    visited_at: datetime
    state: str
    purpose: str
    reason: str
    words: str
    number: str
    here: bool
    units: list[InstalledBefore]
