"""By when an open detour is expected to be over: a date that is set, accepted, and that passes.

Each is a fact of the chain; what holds now stands in the case. A new date asks for a new yes; one
that goods keep when they are split off does not.
"""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.journey import refusals
from doorstep.journey.detour_rules import decide_dating, is_ahead
from doorstep.journey.detours import BY_KIND
from doorstep.journey.entries import entry
from doorstep.journey.facts import Answer, derived_id
from doorstep.journey.locked import Locked
from doorstep.journey.rules import Evidence, Verdict

CASE = "SELECT id, expected_on, accepted_at, detail FROM detour_case WHERE id = $1"

KEEP_DATE = "UPDATE detour_case SET expected_on = $2, accepted_at = $3 WHERE id = $1"

SET_DATE = """
UPDATE detour_case
   SET expected_on = $2, accepted_at = NULL, detail = CASE WHEN $3 = '' THEN detail ELSE $3 END
 WHERE id = $1
"""


def require_ahead(expected_on: date, today: date) -> None:
    """Refuse a date that nobody can promise; `today` is that of the channel's clock.

    Raises: DateNotAhead.
    """
    if not is_ahead(expected_on, today):
        raise refusals.DateNotAhead(expected_on=expected_on.isoformat(), today=today.isoformat())


async def set_date(
    event_id: UUID,
    fulfilment_id: UUID,
    kind: str,
    expected_on: date,
    *,
    today: date,
    actor: Actor,
    words: str,
) -> Answer:
    """Say by when an open detour is expected to be over; the same date again changes nothing."""
    journey = await Locked.enter(fulfilment_id, event_id)
    known = journey.first_answer_to(f"{kind}_dated")
    if known is not None:
        return known
    require_ahead(expected_on, today)
    case = await _case(journey, kind, actor, accepts=False)
    if case["expected_on"] == expected_on:
        return journey.answer(Verdict.DUPLICATE, "This is the date already.", 0)
    await db.execute(SET_DATE, case["id"], expected_on, words)
    await _state(journey, f"{kind}_dated", actor, kind, case, expected_on, words or case["detail"])
    return journey.answer(Verdict.APPLIED, "", 0)


async def accept_date(
    event_id: UUID, fulfilment_id: UUID, kind: str, expected_on: date, *, today: date, actor: Actor
) -> Answer:
    """Say yes to the date that an open detour has; a second yes changes nothing."""
    journey = await Locked.enter(fulfilment_id, event_id)
    known = journey.first_answer_to(f"{kind}_accepted")
    if known is not None:
        return known
    case = await _case(journey, kind, actor, accepts=True)
    offered: date | None = case["expected_on"]
    if offered is None or offered != expected_on or offered < today:
        raise refusals.DateNotOffered(expected_on=offered and offered.isoformat())
    if case["accepted_at"] is not None:
        return journey.answer(Verdict.DUPLICATE, "This date is accepted already.", 0)
    await db.execute("UPDATE detour_case SET accepted_at = $2 WHERE id = $1", case["id"], now())
    await _state(journey, f"{kind}_accepted", actor, kind, case, expected_on, case["detail"])
    return journey.answer(Verdict.APPLIED, "", 0)


async def pass_date(fulfilment_id: UUID, kind: str, *, today: date, actor: Actor) -> bool:
    """Note that the date of an open detour is over and the detour is not; tells whether that is so.

    The case then has no date any more: it is offered to nobody, and somebody must say another one.
    """
    found = await db.row(
        "SELECT id, expected_on FROM detour_case"
        " WHERE fulfilment_id = $1 AND kind = $2 AND closed_at IS NULL AND expected_on < $3",
        fulfilment_id,
        kind,
        today,
    )
    if found is None:
        return False
    event_id = derived_id(found["id"], f"date_passed:{found['expected_on']}")
    journey = await Locked.enter(fulfilment_id, event_id)
    if kind not in journey.detours:
        return False
    case = await db.one(CASE, journey.detours[kind])
    if case["id"] != found["id"] or case["expected_on"] != found["expected_on"]:
        return False
    await db.execute(
        "UPDATE detour_case SET expected_on = NULL, accepted_at = NULL WHERE id = $1", case["id"]
    )
    name = f"{kind}_date_passed"
    await _state(journey, name, actor, kind, case, found["expected_on"], case["detail"])
    return True


async def keep_date(fulfilment_id: UUID, kind: str, before: UUID, *, actor: Actor) -> bool:
    """Give an open detour the date of the case `before`, and the yes to it if it has one.

    Its goods were in that case until now: nobody is asked anew. Tells whether there was a date; a
    second time changes nothing.
    """
    old = await db.one(CASE, before)
    if old["expected_on"] is None:
        return False
    journey = await Locked.enter(fulfilment_id, derived_id(before, f"date_kept:{fulfilment_id}"))
    if journey.first_answer_to(f"{kind}_dated") is not None:
        return True
    case = await db.one(CASE, journey.detours[kind])
    accepted = old["accepted_at"] is not None
    await db.execute(KEEP_DATE, case["id"], old["expected_on"], old["accepted_at"])
    proof = (Evidence("expected_on", old["expected_on"].isoformat()),)
    origin = (*proof, Evidence("detour", str(before)))
    events = [(journey.event_id, f"{kind}_dated")]
    if accepted:
        events.append((derived_id(case["id"], "acceptance_kept"), f"{kind}_accepted"))
    await journey.append(
        [entry(event_id, "fact", name, actor, origin, now()) for event_id, name in events]
    )
    data = _data(kind, case, old["expected_on"], case["detail"], accepted=accepted)
    await journey.react(f"{kind}_date_kept", actor, origin, data)
    return True


async def _case(journey: Locked, kind: str, actor: Actor, *, accepts: bool) -> dict[str, Any]:
    """Read the open case that this role may say something of, or refuse."""
    decision = decide_dating(journey.standing, BY_KIND[kind], actor, accepts=accepts)
    if decision.verdict is not Verdict.APPLIED:
        raise refusals.of_detour(decision, kind)
    return await db.one(CASE, journey.detours[kind])


async def _state(
    journey: Locked,
    name: str,
    actor: Actor,
    kind: str,
    case: dict[str, Any],
    expected_on: date,
    detail: str,
) -> None:
    proof = (Evidence("expected_on", expected_on.isoformat()),)
    await journey.append([entry(journey.event_id, "fact", name, actor, proof, now())])
    data = _data(kind, case, expected_on, detail, accepted=name == f"{kind}_accepted")
    await journey.react(name, actor, proof, data)


def _data(
    kind: str, case: dict[str, Any], expected_on: date, detail: str, *, accepted: bool
) -> dict[str, Any]:
    return {
        "kind": kind,
        "case_id": str(case["id"]),
        "expected_on": expected_on,
        "accepted": accepted,
        "detail": detail,
    }
