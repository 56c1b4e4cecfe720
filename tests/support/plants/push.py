"""Violations of push: phones that are told what they must not hear, messages that nobody ends."""

from __future__ import annotations

from tests.support.plants.plant import Plant

SUBSCRIBED = (
    "INSERT INTO push_subscription (device_id, endpoint, p256dh, auth, renewed_at)"
    " SELECT id, 'https://push.example/1', decode(repeat('04', 65), 'hex'),"
    " decode(repeat('00', 16), 'hex'), now() FROM device ORDER BY id LIMIT 1"
)
OF_IT = "IN (SELECT device_id FROM push_subscription)"

PLANTS = {
    "a revoked phone is still told": Plant(
        "IA5 push",
        ("push_subscription", "device"),
        (SUBSCRIBED, f"UPDATE device SET state = 'revoked' WHERE id {OF_IT}"),
    ),
    "a phone without a session is still told": Plant(
        "IA5 push",
        ("push_subscription", "session"),
        (
            SUBSCRIBED,
            "UPDATE session SET revoked_at = now(), revoked_why = 'signed out'"
            f" WHERE device_id {OF_IT}",
        ),
    ),
    "a push waits for nobody": Plant(
        "IQ2 push",
        ("push_message",),
        (
            "INSERT INTO push_message (id, device_id, kind, lane, key, created_at, expires_at)"
            " SELECT new_id(), id, 'run_planned', 'run', 'run', now() - interval '3 hours',"
            " now() - interval '2 hours' FROM device LIMIT 1",
        ),
    ),
}
