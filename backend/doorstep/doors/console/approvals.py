"""The desk of approvals: what waits, both submitted forms, the word on it, and the policy (P5, P8)."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import PathParameter, QueryParameter

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import may, needs
from doorstep.core.auth.scope import scope
from doorstep.core.errors import EventIdReused, NotAllowed, NotFound
from doorstep.core.http.problems import problems
from doorstep.doors.console import approvals_sql as sql
from doorstep.doors.console.approval_schemas import (
    ApprovalForms,
    DecisionOut,
    PolicyIn,
    PolicyOut,
    WaitingApproval,
    WordIn,
)
from doorstep.flows import approve as flow
from doorstep.flows.approvals import ApprovalDecided, OrderHasEnded, OwnOrder
from doorstep.modules.finance.rules.approvals import Kind, default_policy
from doorstep.modules.finance.service import approvals
from doorstep.modules.finance.service.approvals import ApprovalMissing, PolicyChanged

TAGS = ["approvals"]

DECIDES: dict[Kind, str] = {
    "reservation": "oms:reservation:approve",
    "payment": "oms:payment:record",
}
"""Who may decide what: the money is the finance desk's, the goods the dispatchers' and sales'."""


class NotYourApproval(NotAllowed):
    title = "Another desk decides this."


class NoSuchChannel(NotFound):
    title = "There is no such sales channel."


@get(
    "/console/approvals",
    operation_id="listApprovals",
    opt=needs("oms:approval:read"),
    tags=TAGS,
)
async def list_approvals(
    actor: Actor,
    kind: Annotated[Literal["reservation", "payment"] | None, QueryParameter()] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 100,
) -> list[WaitingApproval]:
    """List the orders of the person's channels that wait for an approval, the oldest first."""
    condition, arguments = scope(actor).orders("o", first=3)
    found = await db.rows(sql.WAITING.format(scope=condition), kind, limit, *arguments)
    return msgspec.convert(found, list[WaitingApproval])


@get(
    "/console/approvals/{approval_id:uuid}",
    operation_id="readApproval",
    opt=needs("oms:approval:read"),
    responses=problems(ApprovalMissing),
    tags=TAGS,
)
async def read_approval(
    actor: Actor, approval_id: Annotated[UUID, PathParameter()]
) -> ApprovalForms:
    """Show both submitted forms side by side, and why the policy let the order pass or wait."""
    condition, arguments = scope(actor).orders("o", first=2)
    found = await db.row(sql.FORMS.format(scope=condition), approval_id, *arguments)
    if found is None:
        raise ApprovalMissing(str(approval_id))
    return msgspec.convert(found, ApprovalForms)


_REFUSALS = (
    ApprovalMissing, NotYourApproval, ApprovalDecided, OwnOrder, OrderHasEnded, EventIdReused,
)  # fmt: skip


@post(
    "/console/approvals/{approval_id:uuid}/approve",
    operation_id="approveOrder",
    status_code=200,
    opt=needs("oms:approval:decide"),
    responses=problems(*_REFUSALS),
    tags=TAGS,
)
async def approve_order(
    actor: Actor, approval_id: Annotated[UUID, PathParameter()], data: WordIn
) -> DecisionOut:
    """Let an order go on that waits; of two approvers the second is told who was first."""
    return await _decide(actor, approval_id, data, "approved")


@post(
    "/console/approvals/{approval_id:uuid}/reject",
    operation_id="rejectOrder",
    status_code=200,
    opt=needs("oms:approval:decide"),
    responses=problems(*_REFUSALS),
    tags=TAGS,
)
async def reject_order(
    actor: Actor, approval_id: Annotated[UUID, PathParameter()], data: WordIn
) -> DecisionOut:
    """Reject an order that waits: it goes no further and is cancelled."""
    return await _decide(actor, approval_id, data, "rejected")


async def _decide(
    actor: Actor, approval_id: UUID, data: WordIn, verdict: Literal["approved", "rejected"]
) -> DecisionOut:
    condition, arguments = scope(actor).of_order("a.order_id", first=2)
    kind = await db.value(sql.KIND.format(scope=condition), approval_id, *arguments)
    if kind is None:
        raise ApprovalMissing(str(approval_id))
    if not may(actor.role, DECIDES[kind]):
        raise NotYourApproval(f"A {kind} is not decided by the role {actor.role}.")
    decided = await flow.decide(approval_id, data.event_id, verdict, data.reason, actor=actor)
    return msgspec.convert(decided, DecisionOut, from_attributes=True)


@get(
    "/console/approval-policies",
    operation_id="listApprovalPolicies",
    opt=needs("oms:approval:read"),
    tags=TAGS,
)
async def list_approval_policies(
    actor: Actor, limit: Annotated[int, QueryParameter(ge=1, le=500)] = 100
) -> list[PolicyOut]:
    """List the policies of the person's channels, the newest version of each first."""
    condition, arguments = scope(actor).channels("c.id", first=2)
    found = await db.rows(sql.POLICIES.format(scope=condition), limit, *arguments)
    condition, arguments = scope(actor).channels("c.id", first=1)
    unset = await db.rows(sql.WITHOUT_POLICY.format(scope=condition), *arguments)
    return msgspec.convert(found, list[PolicyOut]) + [_default(channel) for channel in unset]


def _default(channel: dict[str, Any]) -> PolicyOut:
    """Tell the policy of a channel that has had no order yet, as version 0."""
    rules = default_policy(channel["currency"])
    return PolicyOut(
        **channel, version=0, rules=rules, reason="The default.", set_by=None, set_at=None
    )


@post(
    "/console/approval-policies/{channel_id:uuid}",
    operation_id="setApprovalPolicy",
    status_code=201,
    opt=needs("oms:approval_policy:write"),
    responses=problems(NoSuchChannel, PolicyChanged, EventIdReused),
    tags=TAGS,
)
async def set_approval_policy(
    actor: Actor, channel_id: Annotated[UUID, PathParameter()], data: PolicyIn
) -> approvals.PolicyVersion:
    """Let another policy hold from now on; what was decided before keeps the one it was judged by."""
    condition, arguments = scope(actor).channels("c.id", first=2)
    currency = await db.value(sql.CHANNEL.format(scope=condition), channel_id, *arguments)
    if currency is None:
        raise NoSuchChannel
    return await approvals.set_policy(
        channel_id,
        data.event_id,
        data.rules,
        after_version=data.after_version,
        reason=data.reason,
        actor=actor,
    )


handlers = [
    list_approvals,
    read_approval,
    approve_order,
    reject_order,
    list_approval_policies,
    set_approval_policy,
]
"""The routes of this desk."""
