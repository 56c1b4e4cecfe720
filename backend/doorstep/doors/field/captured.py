"""What phones capture without a signal: each type of event stands for a request of this door.

An event is carried out by the very handler of its request: the same body, permission and verdict.
When a type's body changes, `schema` grows by one and `earlier` reads the one before, which phones
that were not updated go on sending.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints
from uuid import UUID

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler

from doorstep.core.actor import Actor
from doorstep.core.captures.registry import (
    Capture,
    CaptureType,
    NewerThanUs,
    NotValid,
    Outcome,
    register,
)
from doorstep.doors.field import (
    door_links,
    extras,
    offers,
    pieces,
    pods,
    receiving,
    runs,
    scans,
    shift,
    shifts,
    stock,
    visits,
    words,
)
from doorstep.doors.field import warehouse as floor
from doorstep.flows import transport

Payload = dict[str, Any]
_FROM_THE_ENVELOPE = ("event_id", "captured_at")


@dataclass(frozen=True)
class Captured:
    """A type of event: the handler it stands for, and how its payload is read."""

    handler: HTTPRouteHandler
    schema: int = 1
    earlier: Callable[[Payload], Payload] | None = None
    call: Callable[[dict[str, UUID], Any, Actor], Awaitable[Outcome]] | None = None
    """For a request that is more than one transaction: its first one, and what follows."""

    async def carry_out(self, capture: Capture, actor: Actor) -> Outcome:
        """Do what the request would have done.

        Raises: NotValid, NewerThanUs; what the handler raises.
        """
        ids, body = self._request(capture)
        if self.call is not None:
            return await self.call(ids, body, actor)
        return outcome_of(await self.handler.fn(**ids, data=body, actor=actor))

    def _request(self, capture: Capture) -> tuple[dict[str, UUID], Any]:
        payload = self._current(capture)
        hints = get_type_hints(self.handler.fn)
        names = ids_of(self.handler)
        given = {"event_id": capture.event_id, "captured_at": capture.captured_at}
        fields = hints["data"].__struct_fields__
        body = {name: value for name, value in payload.items() if name not in names}
        body |= {name: given[name] for name in _FROM_THE_ENVELOPE if name in fields}
        try:
            ids = msgspec.convert({name: payload[name] for name in names}, dict[str, UUID])
            return ids, msgspec.convert(body, hints["data"])
        except KeyError as missing:
            raise NotValid(f"The payload does not say `{missing.args[0]}`.") from missing
        except (msgspec.ValidationError, RecursionError) as wrong:
            raise NotValid(f"The payload is not valid: {wrong}") from wrong

    def _current(self, capture: Capture) -> Payload:
        if capture.schema > self.schema:
            raise NewerThanUs(f"{capture.type} of schema {capture.schema}")
        if capture.schema == self.schema:
            return capture.payload
        if capture.schema < self.schema - 1 or self.earlier is None:
            raise NotValid(f"{capture.type} of schema {capture.schema} is not read any more.")
        try:
            return self.earlier(capture.payload)
        except (KeyError, TypeError, ValueError) as wrong:
            raise NotValid(
                f"The payload of schema {capture.schema} is not valid: {wrong}"
            ) from wrong


def ids_of(handler: HTTPRouteHandler) -> list[str]:
    """Name the ids that the path of a request has, which a payload carries for it."""
    return [name for path in handler.paths for name in re.findall(r"{(\w+):uuid}", path)]


def outcome_of(answer: Any) -> Outcome:
    """Read what a request was answered: a verdict where it has one, else it counts."""
    content = answer.content if isinstance(answer, Response) else answer
    if isinstance(content, floor.ChecksOut) and content.step is not None:
        content = content.step
    if isinstance(content, stock.CountEntriesOut):
        again = [entry for entry in content.entries if entry.verdict == "again"]
        return Outcome(reason="Goods moved meanwhile: count this again." if again else "")
    return Outcome(getattr(content, "verdict", "applied"), getattr(content, "reason", ""))


async def _take_run(ids: dict[str, UUID], body: runs.AcceptIn, actor: Actor) -> Outcome:
    """Take the run over; its deliveries follow one by one, since none locks two orders."""
    stops = await transport.take_run(
        ids["run_id"], event_id=body.event_id, captured_at=body.captured_at, actor=actor
    )

    async def then() -> None:
        await transport.start_stops(
            ids["run_id"],
            stops,
            event_id=body.event_id,
            captured_at=body.captured_at,
            actor=actor,
        )

    return Outcome(then=then)


def _as_it_stands(payload: Payload) -> Payload:
    """Read schema 1, which knew less: every one of them is a schema 2."""
    return payload


def _second(handler: HTTPRouteHandler) -> Captured:
    return Captured(handler, schema=2, earlier=_as_it_stands)


CAPTURES: Mapping[str, Captured] = {
    "manifest.confirm": Captured(runs.confirm_pickup),
    "run.accept": Captured(runs.accept_run, call=_take_run),
    "offer.accept": Captured(offers.accept_offer),
    "offer.decline": Captured(offers.decline_offer),
    "scans.add": Captured(scans.add_scans),
    "piece.report": Captured(pieces.report_pieces),
    "pod.record": _second(pods.add_pod),
    "link.ask": Captured(door_links.ask_for_link),
    "delivery.failed": _second(pods.add_failed_attempt),
    "visit.start": Captured(visits.start_visit),
    "visit.complete": _second(visits.complete_visit),
    "visit.fail": _second(visits.fail_visit),
    "visit.finding": _second(visits.add_visit_finding),
    "visit.extras": Captured(extras.add_extras),
    "visit.extras_paid": Captured(extras.pay_extras),
    "visit.part_fitted": Captured(visits.add_fitted_part),
    "pick.start": Captured(floor.start_picking),
    "pick.again": Captured(floor.pick_again),
    "check.scan": Captured(floor.check_by_scan),
    "pack.close": Captured(floor.pack, schema=2, earlier=_as_it_stands),
    "receipt.scan": Captured(receiving.add_receipt_scans),
    "receipt.finish": Captured(receiving.finish_receipt),
    "goods.unannounced": Captured(receiving.report_unannounced),
    "count.enter": Captured(stock.add_count_entries),
    "count.finish": Captured(stock.finish_count),
    "stock.propose": Captured(stock.report_adjustment),
    "shift.open": Captured(shifts.open_shift),
    "shift.close": Captured(shifts.close_shift),
    "checklist.answer": Captured(shift.answer_checklist),
    "note.add": Captured(words.add_note),
    "problem.report": Captured(words.report_problem),
    "amend.add": Captured(words.amend_capture),
    "proof.appeal": _second(pods.appeal_pod),
}
"""Type → what it stands for."""

for _name, _captured in CAPTURES.items():
    register(_name, CaptureType(_captured.handler.opt["permission"], _captured.carry_out))
