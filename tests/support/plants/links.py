"""Violations about customers: codes for others, links nobody has opened, needless questions."""

from __future__ import annotations

from tests.support.plants.plant import Plant

CODE = (
    "INSERT INTO link_code (order_id, n, token_hash, code_hash, issued_at, expires_at, used_at)"
    " SELECT l.order_id, 1, l.token_hash, decode(repeat('00', 32), 'hex'), now(),"
    " now() + interval '10 minutes', {used} FROM order_link l ORDER BY l.token_hash LIMIT 1"
)
SESSION = (
    "INSERT INTO link_session (session_hash, token_hash, order_id, n, created_at, expires_at)"
    " SELECT decode(repeat('01', 32), 'hex'), token_hash, order_id, n, now(),"
    " now() + interval '{hours} hours' FROM link_code LIMIT 1"
)
BOTH = ("link_code", "link_session")

PLANTS = {
    "a desk is asked for the address of goods that are there": Plant(
        "IO address tasks",
        ("problem",),
        (
            "UPDATE problem SET closed_at = NULL, closed_by = NULL, closing_words = ''"
            " WHERE kind = 'address_incomplete'",
        ),
    ),
    "somebody has a link to a warranty that nobody gave him": Plant(
        "IA1 owners", ("order_link",), ("UPDATE order_link SET owner_n = 7",)
    ),
    "a portrait of somebody who has left": Plant(
        "IA1 portraits",
        ("person", "person_portrait"),
        (
            "INSERT INTO person_portrait (person_id, sha256, set_at)"
            " SELECT id, repeat('0', 64), now() FROM person WHERE role = 'sales' LIMIT 1",
            "UPDATE person SET active = false, deactivated_at = now() WHERE role = 'sales'",
        ),
    ),
    "a code opens the link of somebody else": Plant(
        "IA1 links",
        BOTH,
        (
            CODE.format(used="NULL"),
            "UPDATE link_code c SET order_id = (SELECT l.order_id FROM order_link l"
            " WHERE l.order_id <> c.order_id LIMIT 1)",
        ),
    ),
    "a session without its code": Plant(
        "IA5 links", BOTH, (CODE.format(used="NULL"), SESSION.format(hours=1))
    ),
    "a session that lasts for days": Plant(
        "IA5 links", BOTH, (CODE.format(used="now()"), SESSION.format(hours=48))
    ),
}
