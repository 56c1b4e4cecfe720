"""Violations of what leaves and comes in: jobs, messages of others, messages to the customer."""

from __future__ import annotations

from tests.support.plants.plant import Plant, copies

ONE_MESSAGE = (
    "ALTER TABLE message DROP CONSTRAINT message_once_key",
    "message",
    "ALTER TABLE message ADD CONSTRAINT message_once_key UNIQUE NULLS NOT DISTINCT"
    " (order_id, fulfilment_id, po_id, problem_id, visit_id, reply_to, event, attempt, channel,"
    " recipient)",
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
    "the customer was told on a second channel after the first had arrived": Plant(
        "IQ3 chain",
        ("message",),
        ("UPDATE message SET chain_id = order_id, place = CASE channel WHEN 'sms' THEN 0 ELSE 1 END,"
         " delivered_at = created_at - interval '1 hour' WHERE event = '1001'",),
    ),
    "the customer was told on a second channel before its time": Plant(
        "IQ3 chain",
        ("message",),
        ("UPDATE message SET chain_id = order_id, place = CASE channel WHEN 'sms' THEN 0 ELSE 1 END"
         " WHERE event = '1001'",),
    ),
    "the customer was told although he had opted out": Plant(
        "IQ3 opted out",
        ("contact_preference",),
        ("INSERT INTO contact_preference (id, channel, address, n, wanted, why, set_at)"
         " SELECT new_id(), 'sms', min(recipient), 1, false, 'stop', now() - interval '1 day'"
         " FROM message WHERE channel = 'sms'",),
    ),
    "the customer was told what was no news any more": Plant(
        "IQ3 validity",
        ("message",),
        ("UPDATE message SET valid_until = created_at + interval '1 microsecond'"
         " WHERE event = '1013'",),
    ),
    "the customer is still to be told what is no news any more": Plant(
        "IQ3 validity",
        ("message",),
        ("UPDATE message SET state = 'queued', sends = 0, created_at = now() - interval '3 hours',"
         " valid_until = now() - interval '2 hours' WHERE event = '1013'",),
    ),
}  # fmt: skip
