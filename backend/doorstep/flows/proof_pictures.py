"""The pictures of proofs and reports: looked at once their bytes are here and decode (V4)."""

from __future__ import annotations

from uuid import UUID

from doorstep import journey
from doorstep.core import db, pictures
from doorstep.core.actor import Actor
from doorstep.flows import install_reports, proof_checks
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.tms import service as tms

# Proofs are judged once more after their commit: two at once do not see each other's pictures.
NAMING_PICTURE = """
SELECT pod.fulfilment_id FROM pod_photo p JOIN pod ON pod.id = p.pod_id
 WHERE p.sha256 = $1 AND (p.verified_at IS NULL OR pod.hold_lifted_at IS NULL)
UNION
SELECT r.fulfilment_id FROM visit_report_photo p JOIN visit_report r ON r.id = p.report_id
 WHERE p.sha256 = $1 AND p.verified_at IS NULL
"""


async def check_bytes(fact: journey.Fact) -> None:
    """Note which proofs have all required pictures on the server; V4 asks for that note.

    At 1013 the proof that passed it may have been held or in review: now it counts.
    """
    if fact.name == "1013":
        for proof in fact.evidence:
            if proof.kind == "pod":
                await tms.settle_pod(UUID(proof.ref), "applied", "")
        await proof_checks.let_go(
            fact.fulfilment_id, actor=Actor.system("proof_pictures.check_bytes")
        )
    await tms.mark_bytes_verified(fact.fulfilment_id)


async def photo_verified(sha256: str, *, refusal: str | None = None) -> None:
    """The bytes of a picture are on the server: let the proofs and reports that name it know.

    `refusal` says why the bytes are no picture; then it stays unverified and a person is asked.
    Nothing happens when the picture is not there yet, or nobody names it.
    """
    shown = await db.value("SELECT EXISTS (SELECT FROM picture WHERE sha256 = $1)", sha256)
    if not shown and refusal is None:
        refusal = await pictures.refusal_of(sha256)
    if not shown and refusal is None:
        return
    for row in await db.rows(NAMING_PICTURE, sha256):
        if shown:
            await _photo_verified(row["fulfilment_id"], sha256)
        else:
            await _photo_unusable(row["fulfilment_id"], sha256, refusal or "")


@db.transactional
async def _photo_verified(fulfilment_id: UUID, sha256: str) -> None:
    await journey.lock(fulfilment_id)
    actor = Actor.system("proof_pictures.photo_verified")
    news = await tms.mark_photo_verified(fulfilment_id, sha256)
    # Judged first: the fact that the bytes are here lets V4 go.
    await proof_checks.judge(fulfilment_id, actor=actor)
    await proof_checks.let_go(fulfilment_id, actor=actor)
    if news:
        await state_bytes_verified(fulfilment_id, actor)
    await install_reports.photo_verified(fulfilment_id, sha256)


async def state_bytes_verified(fulfilment_id: UUID, actor: Actor) -> None:
    for pod_id in await tms.mark_bytes_verified(fulfilment_id):
        await journey.state_fact(
            "bytes_verified",
            fulfilment_id,
            actor=actor,
            data={"pod_id": str(pod_id)},
            event_id=journey.derived_id(fulfilment_id, f"bytes_verified:{pod_id}"),
        )


@db.transactional
async def _photo_unusable(fulfilment_id: UUID, sha256: str, refusal: str) -> None:
    fulfilment = await journey.lock(fulfilment_id)
    await helpdesk.open_problem(
        "photo_unusable",
        "A picture that a proof needs cannot be shown",
        ref=f"{fulfilment_id}:{sha256}",
        detail=refusal,
        order_id=fulfilment["order_id"],
        fulfilment_id=fulfilment_id,
        owner_role="dispatcher",
    )
