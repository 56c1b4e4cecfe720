"""Proofs of delivery: kept whole the moment they arrive, whatever the journey says to them (F2)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.captures import Photo
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.modules.tms import rules
from doorstep.modules.tms.rules import proofs
from doorstep.modules.tms.schemas import ProofOfDelivery


class StopFacts(NamedTuple):
    """Which stop a proof is for, and what was to be paid there."""

    stop_id: UUID
    order_id: UUID
    fulfilment_id: UUID
    attempt: int
    currency: str
    due_minor: int


class Judgement(NamedTuple):
    """What transport itself thinks of a proof, before the journey is asked."""

    missing: Sequence[str]
    code_ok: bool | None
    hold_reason: str | None
    required_slots: Collection[str]
    verdict: str
    reason: str


@db.transactional
async def save_recipe(recipe: rules.Recipe) -> None:
    """Write the recipe of these stops, in place of the one that had exactly the same scope."""
    await db.execute(
        "INSERT INTO pod_recipe"
        " (id, proofs, photo_slots, channel_id, product_id, payment, handed_to)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT ON CONSTRAINT pod_recipe_scope_unique"
        " DO UPDATE SET proofs = excluded.proofs, photo_slots = excluded.photo_slots",
        uuid7(),
        list(recipe.proofs),
        list(recipe.photo_slots),
        *recipe[2:],
    )


async def recipes(
    channel_ids: Collection[UUID], product_ids: Collection[UUID]
) -> list[rules.Recipe]:
    """Read the installation's recipes that could fit stops of these channels with these goods."""
    found = await db.rows(
        "SELECT proofs, photo_slots, channel_id, product_id, payment, handed_to FROM pod_recipe"
        " WHERE (channel_id IS NULL OR channel_id = ANY ($1))"
        " AND (product_id IS NULL OR product_id = ANY ($2)) ORDER BY id",
        list(channel_ids),
        list(product_ids),
    )
    return [
        rules.Recipe(**row | {"proofs": (*row["proofs"],), "photo_slots": (*row["photo_slots"],)})
        for row in found
    ]


@db.transactional
async def keep_pod(
    actor: Actor, stop: StopFacts, proof: ProofOfDelivery, judged: Judgement
) -> None:
    """Keep a proof with its pictures and tenders. Its event id is its key, so it is kept once."""
    place = proof.place
    await db.execute(
        "INSERT INTO pod (id, order_id, fulfilment_id, stop_id, attempt, person_id, device_id,"
        " receiver_name, receiver_relation, code_ok, scanned_labels, lat, lng, accuracy_m,"
        " signature, signature_sha256, due_minor, tendered_minor, currency, missing, hold_reason,"
        " verdict, verdict_reason, captured_at, recorded_at, serials, kept_back, shown_minor)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,"
        " $19, $20, $21, $22, $23, $24, $25, $26, $27, $28)",
        proof.event_id,
        stop.order_id,
        stop.fulfilment_id,
        stop.stop_id,
        stop.attempt,
        actor.person_id,
        actor.device_id,
        proof.receiver.name.strip(),
        proof.receiver.relation,
        judged.code_ok,
        proof.scanned_labels,
        place and place.lat,
        place and place.lng,
        place and place.accuracy_m,
        proof.signature,
        rules.hash_strokes(proof.signature) if proof.signature else None,
        stop.due_minor,
        sum(tender.amount_minor for tender in proof.tenders),
        stop.currency,
        list(judged.missing),
        judged.hold_reason,
        judged.verdict,
        judged.reason,
        proof.captured_at,
        now(),
        proof.serials,
        msgspec.to_builtins(proof.kept_back),
        proof.shown_minor,
    )
    await _keep_photos(proof.event_id, proof.photos, judged.required_slots)
    await _keep_tenders(proof)


async def _keep_photos(pod_id: UUID, photos: Sequence[Photo], required: Collection[str]) -> None:
    await db.execute(
        "INSERT INTO pod_photo (pod_id, slot, sha256, required, verified_at)"
        " SELECT $1, p.slot, p.sha256, p.required, (SELECT min(made.created_at) FROM picture made"
        "  WHERE made.sha256 = p.sha256)"
        " FROM unnest($2::text[], $3::text[], $4::bool[]) AS p (slot, sha256, required)"
        " ON CONFLICT DO NOTHING",
        pod_id,
        [photo.slot for photo in photos],
        [photo.sha256 for photo in photos],
        [photo.slot in required for photo in photos],
    )


async def _keep_tenders(proof: ProofOfDelivery) -> None:
    await db.execute_many(
        "INSERT INTO pod_tender (pod_id, n, method, amount_minor, reference)"
        " VALUES ($1, $2, $3, $4, $5)",
        [
            (proof.event_id, n, tender.method, tender.amount_minor, tender.reference)
            for n, tender in enumerate(proof.tenders, start=1)
        ],
    )


async def settle_pod(pod_id: UUID, verdict: str, reason: str) -> None:
    """Write down what the journey said to a proof."""
    await db.execute(
        "UPDATE pod SET verdict = $2, verdict_reason = $3 WHERE id = $1", pod_id, verdict, reason
    )


async def mark_photo_verified(fulfilment_id: UUID, sha256: str) -> bool:
    """Mark the pictures of a fulfilment's proofs that have this content; tell if there were any."""
    return bool(
        await db.execute(
            "UPDATE pod_photo SET verified_at = $3 FROM pod WHERE pod.id = pod_photo.pod_id"
            " AND pod.fulfilment_id = $1 AND pod_photo.sha256 = $2"
            " AND pod_photo.verified_at IS NULL",
            fulfilment_id,
            sha256,
            now(),
        )
    )


async def mark_bytes_verified(fulfilment_id: UUID) -> list[UUID]:
    """Mark the proofs whose required pictures all lie on the server; return those newly marked."""
    marked = await db.rows(
        "UPDATE pod SET bytes_verified_at = $2 WHERE fulfilment_id = $1"
        " AND bytes_verified_at IS NULL AND NOT EXISTS (SELECT FROM pod_photo p"
        "  WHERE p.pod_id = pod.id AND p.required AND p.verified_at IS NULL) RETURNING id",
        fulfilment_id,
        now(),
    )
    return [row["id"] for row in marked]


async def settle_check(pod_id: UUID, checked: proofs.Checked) -> None:
    """Write down what the check of a proof found."""
    await db.execute(
        "UPDATE pod SET check_verdict = $2, check_reasons = $3, check_hold = $4, checked_at = $5,"
        " check_findings = $6, checks = checks + 1 WHERE id = $1",
        pod_id,
        checked.verdict,
        list(checked.reasons),
        checked.hold,
        now(),
        [finding._asdict() for finding in checked.findings],
    )


async def settle_code(pod_id: UUID) -> None:
    """Write down that the right code was told for a proof after all."""
    await db.execute("UPDATE pod SET code_ok = true, hold_reason = NULL WHERE id = $1", pod_id)


async def lift_hold(pod_id: UUID, reason: str) -> None:
    """Let a proof hold nothing any more, whatever its check found."""
    await db.execute(
        "UPDATE pod SET hold_lifted_at = $2, hold_lifted_reason = $3"
        " WHERE id = $1 AND hold_lifted_at IS NULL",
        pod_id,
        now(),
        reason,
    )


async def lift_holds(
    fulfilment_id: UUID, passed_id: UUID, reason: str, *, code_ok: bool
) -> list[UUID]:
    """Let the doubtful proofs of a parcel hold nothing, since another passed; return them.

    One with a wrong code is made good only by one with the right code.
    """
    lifted = await db.rows(
        "UPDATE pod SET hold_lifted_at = $4, hold_lifted_reason = $3"
        " WHERE fulfilment_id = $1 AND id <> $2 AND hold_lifted_at IS NULL"
        " AND check_verdict IN ('look', 'failed') AND (hold_reason IS NULL OR $5)"
        " RETURNING id",
        fulfilment_id,
        passed_id,
        reason,
        now(),
        code_ok,
    )
    return sorted(row["id"] for row in lifted)


@db.transactional
async def save_threshold(one: proofs.OwnThreshold, source: str) -> None:
    """Write by which threshold these proofs are judged, and what measurement says so."""
    await db.execute(
        "INSERT INTO pod_threshold (id, name, value, channel_id, handed_to, source)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT ON CONSTRAINT pod_threshold_scope_unique"
        " DO UPDATE SET value = excluded.value, source = excluded.source",
        uuid7(),
        *one,
        source,
    )
