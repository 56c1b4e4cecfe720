"""Violations of a journey: its chain, its state, its stages and its detours."""

from __future__ import annotations

from tests.support.plants.plant import Plant

ONE_PASSING = (
    "DROP INDEX journey_event_stage_once",
    "journey_event",
    "CREATE UNIQUE INDEX journey_event_stage_once ON journey_event (fulfilment_id, stage, attempt)"
    " WHERE kind = 'stage'",
)
ONE_SEQ = (
    "ALTER TABLE journey_event DROP CONSTRAINT journey_event_pkey",
    "journey_event",
    "ALTER TABLE journey_event ADD CONSTRAINT journey_event_pkey PRIMARY KEY (fulfilment_id, seq)",
)
ONE_EVENT = (
    "ALTER TABLE journey_event DROP CONSTRAINT journey_event_id_unique",
    "journey_event",
    "ALTER TABLE journey_event ADD CONSTRAINT journey_event_id_unique UNIQUE (event_id)",
)

PLANTS = {
    "an event is changed": Plant(
        "IA8 events", ("journey_event",), ("UPDATE journey_event SET reason = 'x' WHERE seq = 3",)
    ),
    "an event is removed": Plant(
        "IA8 events", ("journey_event",), ("DELETE FROM journey_event WHERE seq = 3",)
    ),
    "the tail is cut": Plant(
        "IA8 heads",
        ("journey_event",),
        ("DELETE FROM journey_event e USING fulfilment f WHERE f.id = e.fulfilment_id"
         " AND e.seq = f.head_seq",),
    ),
    "a fulfilment is gone with its events": Plant(
        "IA8 fulfilments",
        ("journey_event", "fulfilment"),
        ("DELETE FROM journey_event", "DELETE FROM fulfilment"),
    ),
    "a checkpoint is changed": Plant(
        "IA8 checkpoints", ("journey_checkpoint",), ("UPDATE journey_checkpoint SET heads = '{}'",)
    ),
    "a state has a stage that no event has": Plant(
        "IO2",
        ("fulfilment",),
        ("UPDATE fulfilment SET passed = array_remove(passed, 1013::smallint)",),
    ),
    "a delivery has no evidence": Plant(
        "IO5",
        ("journey_event",),
        ("UPDATE journey_event SET evidence = '[]' WHERE stage = 1013",),
    ),
    "a held step was forgotten": Plant(
        "IC1 held", ("held_step",), ("UPDATE held_step SET released_at = NULL, verdict = NULL",)
    ),
    "a step waits for hours, and nobody is asked": Plant(
        "IC1 held long",
        ("held_step",),
        ("INSERT INTO held_step SELECT new_id(), f.id, f.order_id, 1010, '{}', '[]', now(),"
         " now() - interval '6 hours', '' FROM fulfilment f"
         " WHERE NOT EXISTS (SELECT FROM detour_case d"
         "  WHERE d.fulfilment_id = f.id AND d.closed_at IS NULL) LIMIT 1",),
    ),
    "a detour that no event has opened": Plant(
        "IO2 detours",
        ("detour_case",),
        ("INSERT INTO detour_case SELECT new_id(), id, order_id, 'dispute', 1, NULL, 1, '', '', '[]',"
         " 0, 'finance', 'person', now(), now(), now(), 'settled' FROM fulfilment LIMIT 1",),
    ),
    "a piece was ordered that no parcel carries": Plant(
        "IO2 lines", ("fulfilment_line",), ("UPDATE fulfilment_line SET quantity = quantity + 1",)
    ),
    "a step was taken after the end": Plant(
        "IO1",
        ("journey_event",),
        ("UPDATE journey_event SET ends_as = 'cancelled' WHERE seq = 3",),
    ),
    "an attempt was begun after the end": Plant(
        "IO1",
        ("journey_event",),
        ("UPDATE journey_event SET kind = CASE WHEN stage = 1018 THEN 'detour' ELSE 'fact' END,"
         " ends_as = CASE WHEN seq = 3 THEN 'cancelled' END",),
    ),
    "the customer sees less than is done": Plant(
        "IO1 progress", ("fulfilment",), ("UPDATE fulfilment SET progress = 10",)
    ),
    "the stage is behind what is done": Plant(
        "IO1 progress", ("fulfilment",), ("UPDATE fulfilment SET stage = 1002",)
    ),
    "a detour is open that a stage has settled": Plant(
        "IO2 settled",
        ("detour_case",),
        ("INSERT INTO detour_case SELECT event_id, fulfilment_id, order_id, 'carrier_delayed', 1,"
         " NULL, NULL, '', '', '[]', 0, 'system', 'system', now(), now() FROM journey_event"
         " WHERE stage = 1010",),
    ),
    **{
        words: Plant("IO2 dates", (table,), (f"UPDATE {table} SET {change}",))
        for words, table, change in (
            ("short goods are expected on a day that nobody has said", "detour_case",
             "expected_on = expected_on + 1"),
            ("the date of short goods is forgotten", "detour_case", "expected_on = NULL"),
            ("a date is accepted that the customer has not", "detour_case",
             "accepted_at = now() WHERE expected_on IS NOT NULL"),
            ("a date stands that is over", "journey_event",
             "name = 'short_stock_date_passed' WHERE name = 'short_stock_dated'"),
        )
    },
    "a stage was passed twice in an attempt": Plant(
        "IO3",
        ("journey_event",),
        ("UPDATE journey_event SET stage = 1010 WHERE stage = 1009",),
        (ONE_PASSING,),
    ),
    "an event stands twice": Plant(
        "IA8 events",
        ("journey_event",),
        ("INSERT INTO journey_event SELECT * FROM journey_event WHERE seq = 3",),
        (ONE_SEQ, ONE_EVENT, ONE_PASSING),
    ),
    **{
        f"nobody knows an event's {column}": Plant(
            "IO4", ("journey_event",), (f"UPDATE journey_event SET {column} = '{value}'",)
        )
        for column, value in {
            "device": "", "actor_role": "", "source": "", "captured_at": "-infinity",
            "recorded_at": "infinity",
        }.items()
    },
    "nobody knows by which request a phone spoke": Plant(
        "IO4",
        ("journey_event",),
        ("UPDATE journey_event SET request_id = '' WHERE source = 'phone'",),
    ),
}  # fmt: skip
