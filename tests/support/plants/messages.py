"""Violations of what leaves and comes in: jobs, messages of others, messages to the customer."""

from __future__ import annotations

from tests.support.plants.plant import Plant, copies

ONE_MESSAGE = (
    "ALTER TABLE message DROP CONSTRAINT message_once_key",
    "message",
    "ALTER TABLE message ADD CONSTRAINT message_once_key UNIQUE NULLS NOT DISTINCT"
    " (order_id, fulfilment_id, po_id, problem_id, event, attempt, channel, recipient)",
)

PLANTS = {
    "a job is dead": Plant(
        "IQ2",
        ("outbox",),
        ("UPDATE outbox SET done_at = NULL, dead_at = now() WHERE kind = 'flows.order_placed'",),
    ),
    "a job was never run": Plant(
        "IQ2",
        ("outbox",),
        ("UPDATE outbox SET done_at = NULL, next_at = now() - interval '1 hour'"
         " WHERE kind = 'flows.order_placed'",),
    ),
    "a message of others could not be handled": Plant(
        "IQ2 inbox", ("inbox",), ("UPDATE inbox SET state = 'problem', done_at = NULL",)
    ),
    "the customer was told of a delivery that was none": Plant(
        "IQ1", ("message",), ("UPDATE message SET event = '1016' WHERE event = '1013'",)
    ),
    "the customer was told of an attempt that was none": Plant(
        "IQ1", ("message",), ("UPDATE message SET attempt = 2 WHERE event = '1013'",)
    ),
    "the customer was told of a payment that was none": Plant(
        "IQ1",
        ("journey_event",),
        ("UPDATE journey_event SET kind = 'fact' WHERE stage = 1002",),
    ),
    "the customer was told of a loss that was none": Plant(
        "IQ1", ("message",), ("UPDATE message SET event = 'lost' WHERE event = '1013'",)
    ),
    "the customer was told twice": Plant(
        "IQ3", ("message",), (copies("message", "'id', new_id()"),), (ONE_MESSAGE,)
    ),
}  # fmt: skip
