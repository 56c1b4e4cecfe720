"""What was approved of an order, by whom and why; and the policy it was judged by, in versions."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused, NotFound, Refusal
from doorstep.core.ids import uuid7
from doorstep.modules.finance import sql
from doorstep.modules.finance.rules.approvals import (
    Facts,
    Judgement,
    Kind,
    Policy,
    default_policy,
)

Verdict = Literal["approved", "waiting", "rejected"]


class PolicyChanged(Refusal):
    """Two admins edited the same version: the second has not seen what the first has set."""

    title = "The policy has been changed in the meantime."


class ApprovalMissing(NotFound):
    title = "There is no such approval."


class PolicyVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A policy as it held from `set_at` on; `set_by` is empty for the default."""

    channel_id: UUID
    version: int
    event_id: UUID
    rules: Policy
    reason: str
    set_by: UUID | None
    set_at: datetime


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """A judgement: approved, waiting or rejected, by the policy or by a person, and why."""

    id: UUID
    order_id: UUID
    kind: Kind
    verdict: Verdict
    decided: Literal["automatic", "person"]
    reasons: tuple[str, ...]
    policy_version: int
    facts: Facts
    decided_by: UUID | None
    decided_role: str
    decided_at: datetime


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What is judged, on which facts and by which policy; the caller holds the order's lock."""

    order_id: UUID
    kind: Kind
    policy: PolicyVersion
    facts: Facts


# --- Policies -----------------------------------------------------------------------------------


async def policy_of(channel_id: UUID, currency: str) -> PolicyVersion:
    """Tell the policy that holds in a channel; the default is kept when it is first used.

    Raises: UnknownCurrency.
    """
    held = await db.row(sql.POLICY, channel_id)
    if held is None:
        await db.execute(
            sql.KEEP_DEFAULT_POLICY,
            channel_id,
            uuid7(),
            msgspec.to_builtins(default_policy(currency)),
            now(),
        )
        held = await db.one(sql.POLICY, channel_id)
    return msgspec.convert(held, PolicyVersion)


@db.transactional
async def set_policy(
    channel_id: UUID,
    event_id: UUID,
    rules: Policy,
    *,
    after_version: int,
    reason: str,
    actor: Actor,
) -> PolicyVersion:
    """Let a new version hold from now on; the same event again changes nothing.

    Raises: PolicyChanged when another version has come after the one that was edited;
    EventIdReused.
    """
    known = await db.row(sql.POLICY_OF_EVENT, event_id)
    if known is None:
        written = await db.value(
            sql.SET_POLICY,
            channel_id,
            after_version + 1,
            event_id,
            msgspec.to_builtins(rules),
            reason,
            actor.person_id,
            now(),
        )
        # Whoever waited for another's commit looks again: it may have been this very event.
        known = await db.row(sql.POLICY_OF_EVENT, event_id)
        if written is None and known is None:
            raise PolicyChanged
    version = msgspec.convert(known, PolicyVersion)
    if (version.channel_id, version.rules) != (channel_id, rules):
        raise EventIdReused
    return version


# --- Approvals ----------------------------------------------------------------------------------


async def standing(order_id: UUID, kind: Kind) -> Approval | None:
    """Tell the judgement that holds: the decision if there is one, else what waits, else none."""
    found = await db.row(sql.STANDING, order_id, kind)
    return None if found is None else msgspec.convert(found, Approval)


async def approval(approval_id: UUID) -> Approval:
    """Tell one judgement.

    Raises: ApprovalMissing.
    """
    found = await db.row(sql.APPROVAL, approval_id)
    if found is None:
        raise ApprovalMissing(str(approval_id))
    return msgspec.convert(found, Approval)


async def record(subject: Subject, judgement: Judgement) -> Approval:
    """Write what the policy says of an order, with its reasons and facts."""
    verdict: Verdict = "approved" if judgement.approved else "waiting"
    actor = Actor.system("approvals")
    return await _write(uuid7(), subject, verdict, "automatic", judgement.reasons, actor)


async def record_word(
    event_id: UUID, subject: Subject, verdict: Verdict, reason: str, actor: Actor
) -> Approval:
    """Write what a person says of an order.

    Raises: EventIdReused when the id stands for another judgement.
    """
    if await db.value(sql.APPROVAL_KNOWN, event_id):
        raise EventIdReused
    return await _write(event_id, subject, verdict, "person", (reason,), actor)


async def _write(
    approval_id: UUID,
    subject: Subject,
    verdict: Verdict,
    decided: str,
    reasons: tuple[str, ...],
    actor: Actor,
) -> Approval:
    written = await db.one(
        sql.RECORD_APPROVAL,
        approval_id,
        subject.order_id,
        subject.kind,
        verdict,
        decided,
        list(reasons),
        subject.policy.channel_id,
        subject.policy.version,
        msgspec.to_builtins(subject.facts),
        actor.person_id,
        actor.role,
        now(),
    )
    return msgspec.convert(written, Approval)
