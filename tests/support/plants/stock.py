"""Violations of stock: what is promised, what is there, what is received and counted."""

from __future__ import annotations

from tests.support.plants.plant import Plant

NO_OVERSELL = (
    "ALTER TABLE stock DROP CONSTRAINT stock_never_oversold",
    "stock",
    "ALTER TABLE stock ADD CONSTRAINT stock_never_oversold CHECK ("
    " held >= 0 AND allocated >= 0 AND on_hand >= held + allocated)",
)
ONE_RESERVATION = (
    "DROP INDEX reservation_line_once",
    "reservation",
    "CREATE UNIQUE INDEX reservation_line_once ON reservation (fulfilment_line_id)"
    " WHERE state IN ('held', 'allocated', 'consumed')",
)
SECOND_PERSON = (
    "ALTER TABLE stock_adjustment DROP CONSTRAINT stock_adjustment_second_person",
    "stock_adjustment",
    "ALTER TABLE stock_adjustment ADD CONSTRAINT stock_adjustment_second_person"
    " CHECK (decided_by <> proposed_by)",
)

PLANTS = {
    "more is promised than there is": Plant(
        "IS1", ("stock",), ("UPDATE stock SET held = on_hand + 1",), (NO_OVERSELL,)
    ),
    "a hold belongs to no reservation": Plant(
        "IS1 reserved",
        ("stock",),
        ("UPDATE stock SET held = held + 1 WHERE on_hand > held + allocated",),
    ),
    "a piece in the van is nobody's": Plant(
        "IS2 custody", ("custody",), ("UPDATE custody SET quantity = quantity + 1",)
    ),
    "goods came from nowhere": Plant(
        "IS2", ("stock",), ("UPDATE stock SET on_hand = on_hand + 1",)
    ),
    "units stand where no stock is": Plant(
        "IS2 units",
        ("unit",),
        ("UPDATE unit SET location_id = (SELECT id FROM location WHERE kind = 'customer')",),
    ),
    "a line has received what no receipt says": Plant(
        "IS2 receipts", ("expected_line",), ("UPDATE expected_line SET received = 0",)
    ),
    "a receipt is on no shelf": Plant(
        "IS2 receipts",
        ("stock_movement",),
        ("UPDATE stock_movement SET ref = 'x' WHERE ref LIKE 'receipt:%'",),
    ),
    "stock was adjusted that nobody approved": Plant(
        "IS2 adjustments", ("stock_adjustment",), ("UPDATE stock_adjustment SET state = 'rejected'",)
    ),
    "a difference of a count was forgotten": Plant(
        "IS2 counts",
        ("cycle_count_line",),
        ("UPDATE cycle_count_line SET difference = difference - 1",),
    ),
    "goods are reserved twice": Plant(
        "IS3",
        ("reservation",),
        ("INSERT INTO reservation SELECT new_id(), stock_id, order_id, fulfilment_line_id,"
         " quantity, state, expires_at, created_at, ended_at FROM reservation",),
        (ONE_RESERVATION,),
    ),
    "whoever proposed an adjustment approved it": Plant(
        "IM7 adjustments",
        ("stock_adjustment",),
        ("UPDATE stock_adjustment SET proposed_by = p.id, decided_by = p.id FROM person p",),
        (SECOND_PERSON,),
    ),
}  # fmt: skip
