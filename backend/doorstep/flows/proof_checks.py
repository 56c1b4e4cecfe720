"""Is a proof of delivery one? Judged once its pictures are measured, before V4 is looked at (A9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.geo import metres_between
from doorstep.flows import phones
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.tms import service as tms
from doorstep.modules.tms.rules import proofs

# Every proof of a parcel, oldest first, that can be judged: what must be there is there, and
# measured. A picture that was never measured (an import) makes no verdict.
READY = """
SELECT d.id, d.order_id, d.fulfilment_id, d.stop_id, d.person_id, d.hold_reason, d.lat, d.lng, d.accuracy_m,
       d.signature, d.recorded_at, d.check_verdict, d.check_reasons, d.checks,
       CASE WHEN d.receiver_relation = 'customer' THEN 'customer' ELSE 'other' END AS handed_to,
       o.channel_id, a.lat AS pin_lat, a.lng AS pin_lng
  FROM pod d
  JOIN customer_order o ON o.id = d.order_id
  JOIN address a ON a.id = o.address_id
 WHERE d.fulfilment_id = $1 AND d.hold_lifted_at IS NULL AND d.verdict <> 'rejected'
   AND (cardinality(d.missing) = 0 OR EXISTS (SELECT FROM pod_photo p WHERE p.pod_id = d.id))
   AND NOT EXISTS (
     SELECT FROM pod_photo p LEFT JOIN picture_measure m USING (sha256)
      WHERE p.pod_id = d.id AND (p.required AND p.verified_at IS NULL
                                 OR p.verified_at IS NOT NULL AND m.sha256 IS NULL))
 ORDER BY d.recorded_at, d.id
"""

PHOTOS = """
SELECT p.slot, p.sha256, m.sharpness, m.mean, m.p95, m.phash, m.bands, m.codes
  FROM pod_photo p JOIN picture_measure m USING (sha256)
 WHERE p.pod_id = $1 AND p.verified_at IS NOT NULL ORDER BY p.slot, p.sha256
"""

CODES = """
SELECT p.label_no AS code, 'label' AS kind, s.fulfilment_id
  FROM piece p JOIN shipment s ON s.id = p.shipment_id WHERE p.label_no = ANY ($1)
UNION
SELECT s.awb, 'label', s.fulfilment_id FROM shipment s WHERE s.awb = ANY ($1)
UNION
SELECT u.serial, 'serial', l.fulfilment_id
  FROM unit u JOIN fulfilment_line l ON l.id = u.fulfilment_line_id WHERE u.serial = ANY ($1)
"""

# Earlier proofs of other parcels with this picture or one that looks like it, as long as photos of
# proofs are kept. The pieces of the hash are the index, asked one by one, since for all of them at
# once the planner expects too much and reads the whole table; the bits decide.
COPIES = """
WITH alike AS MATERIALIZED (
  SELECT DISTINCT m.sha256,
         bit_count(('x' || encode(m.phash, 'hex'))::bit(256) # $3::text::bit(256))::int AS bits
    FROM unnest($2::int[]) AS b (piece) JOIN picture_measure m ON m.bands @> ARRAY[b.piece])
SELECT x.sha256 = $1 AS exact, x.bits, d.order_id, o.number
  FROM alike x
  JOIN pod_photo p ON p.sha256 = x.sha256
  JOIN pod d ON d.id = p.pod_id
  JOIN customer_order o ON o.id = d.order_id
 WHERE x.bits <= $4 AND d.fulfilment_id <> $5 AND (d.recorded_at, d.id) < ($6, $7)
   AND d.recorded_at > $6 - interval '180 days'
 ORDER BY x.bits, d.recorded_at LIMIT 20
"""

THRESHOLDS = """
SELECT name, value, channel_id, handed_to FROM pod_threshold
 WHERE channel_id IS NULL OR channel_id = $1
"""

# A proof that the journey keeps for review stands for nothing until a person says so.
PASSED = """
SELECT id, code_ok FROM pod
 WHERE fulfilment_id = $1 AND check_verdict = 'passed' AND verdict IN ('applied', 'duplicate')
 ORDER BY recorded_at, id
"""

PROBLEMS: Mapping[str, tuple[str, str]] = {
    "look": ("pod_doubtful", "A proof of delivery should be looked at"),
    "failed": ("pod_failed", "A proof of delivery does not prove it"),
}
SEEN_LATER = "Another proof of the same parcel passed."


async def judge(fulfilment_id: UUID, *, actor: Actor) -> None:
    """Judge the proofs of a parcel whose pictures are here; its fulfilment is locked.

    A proof that fails keeps V4 and asks a person. The same again changes nothing.
    """
    for pod in await db.rows(READY, fulfilment_id):
        seen, first_of = await _seen(pod)
        checked = proofs.check_proof(seen, await _limits(pod))
        if (checked.verdict, [*checked.reasons]) != (pod["check_verdict"], pod["check_reasons"]):
            await tms.settle_check(pod["id"], checked)
            await _ask(pod, checked, first_of, actor)
            await _state(pod, checked, actor)
            await phones.tell_proof(pod, checked.verdict)


async def let_go(fulfilment_id: UUID, *, actor: Actor) -> None:
    """Let a proof that counts and has passed stand for its parcel: others of it keep nothing.

    One with a wrong code is made good only by one with the right code.
    """
    for pod in await db.rows(PASSED, fulfilment_id):
        lifted = await tms.lift_holds(
            fulfilment_id, pod["id"], SEEN_LATER, code_ok=pod["code_ok"] is True
        )
        for pod_id in lifted:
            await close_questions(pod_id, SEEN_LATER, actor)
            await journey.state_fact(
                "pod_accepted",
                fulfilment_id,
                actor=actor,
                data={"pod_id": str(pod_id), "by": str(pod["id"])},
                event_id=journey.derived_id(fulfilment_id, f"pod_let_go:{pod_id}"),
            )


async def _limits(pod: Mapping[str, Any]) -> dict[str, float]:
    own = [proofs.OwnThreshold(**row) for row in await db.rows(THRESHOLDS, pod["channel_id"])]
    return proofs.choose_thresholds(own, channel_id=pod["channel_id"], handed_to=pod["handed_to"])


async def _seen(pod: Mapping[str, Any]) -> tuple[proofs.SeenProof, list[str]]:
    photos, first_of = [], []
    for row in await db.rows(PHOTOS, pod["id"]):
        known = await db.rows(CODES, row["codes"]) if row["codes"] else []
        own, other, serial = proofs.sort_codes(row["codes"], known, pod["fulfilment_id"])
        copies = await _copies(pod, row)
        first_of += [copy["number"] for copy in copies]
        photos.append(
            proofs.SeenPhoto(
                row["slot"], row["sharpness"], row["mean"], row["p95"], own, other, serial,
                [
                    proofs.Copy(copy["exact"], copy["bits"], copy["order_id"] == pod["order_id"])
                    for copy in copies
                ],
            )
        )  # fmt: skip
    place = None
    if pod["lat"] is not None and pod["pin_lat"] is not None:
        metres = metres_between(pod["lat"], pod["lng"], pod["pin_lat"], pod["pin_lng"])
        place = proofs.SeenPlace(metres, pod["accuracy_m"] or 0.0)
    return proofs.SeenProof(photos, place, pod["hold_reason"], pod["signature"]), first_of


async def _copies(pod: Mapping[str, Any], photo: Mapping[str, Any]) -> list[dict[str, Any]]:
    return await db.rows(
        COPIES,
        photo["sha256"],
        photo["bands"],
        f"{int.from_bytes(photo['phash']):0256b}",
        int(proofs.DEFAULT_THRESHOLDS["copy_bits_look"].value),
        pod["fulfilment_id"],
        pod["recorded_at"],
        pod["id"],
    )


async def _ask(
    pod: Mapping[str, Any], checked: proofs.Checked, first_of: list[str], actor: Actor
) -> None:
    """Open what the verdict asks a person, and close what another verdict had asked."""
    for verdict, (kind, title) in PROBLEMS.items():
        if verdict != checked.verdict:
            await helpdesk.close_problems(kind, str(pod["id"]), "It was judged anew.", actor)
        elif verdict == "look" or checked.hold is not None:
            # A wrong code alone has opened a problem of its own when it was told.
            known = f" First for {', '.join(dict.fromkeys(first_of))}." if first_of else ""
            await helpdesk.open_problem(
                kind,
                title,
                ref=str(pod["id"]),
                detail=" ".join(checked.reasons) + known,
                order_id=pod["order_id"],
                fulfilment_id=pod["fulfilment_id"],
                owner_role="dispatcher",
            )


async def _state(pod: Mapping[str, Any], checked: proofs.Checked, actor: Actor) -> None:
    await journey.state_fact(
        "pod_checked",
        pod["fulfilment_id"],
        actor=actor,
        data={"pod_id": str(pod["id"]), "verdict": checked.verdict},
        event_id=journey.derived_id(
            pod["fulfilment_id"], f"pod_checked:{pod['id']}:{pod['checks'] + 1}"
        ),
    )


async def close_questions(pod_id: UUID, words: str, actor: Actor) -> None:
    """Close what a person was asked about a proof."""
    for kind in ("pod_incomplete", "handover_code_wrong", "pod_doubtful", "pod_failed"):
        await helpdesk.close_problems(kind, str(pod_id), words, actor)
