"""Violations of places: what should have been forgotten."""

from __future__ import annotations

from tests.support.plants.plant import Plant

PLANTS = {
    "a place is kept for ever": Plant(
        "IA7 places",
        ("place_fix",),
        (
            "INSERT INTO place_fix (person_id, id, device_id, at, lat, lng, accuracy_m, duty, duty_id,"
            " received_at) SELECT person_id, new_id(), id, now() - interval '61 days', 25, 55, 9,"
            " 'run', new_id(), now() FROM device LIMIT 1",
        ),
    ),
}
