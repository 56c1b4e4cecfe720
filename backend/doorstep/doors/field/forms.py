"""What the phone asks for, step by step: each form is one capture, described for every version.

The phone knows how to ask each type of slot, and nothing of the business behind it: which slots
there are, in which order, what each demands and what may be answered stands here. Which proofs a
door needs is the stop's own recipe; how goods are installed is the checklist of the visit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, get_args
from uuid import UUID, uuid5

import msgspec
from msgspec import Struct

from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import may
from doorstep.doors.field.captured import CAPTURES, ids_of
from doorstep.modules.fsm.schemas import VisitFailed, VisitFinding
from doorstep.modules.helpdesk.schemas import JobKind, ProblemReport
from doorstep.modules.tms.schemas import (
    DeclinedAs,
    ExplainedAs,
    FailedAttempt,
    KeptBackAs,
    PieceReport,
    Relation,
    ScanKind,
    TenderMethod,
)
from doorstep.modules.wms.rules import Grade
from doorstep.modules.wms.schemas import AdjustmentIn

SlotType = Literal[
    "agreement",
    "answers",
    "boxes",
    "choice",
    "code",
    "codes",
    "count",
    "day",
    "difference",
    "dwell",
    "event",
    "explanations",
    "extras",
    "handover_code",
    "kept_back",
    "labels",
    "photos",
    "pieces",
    "place",
    "product",
    "receipt",
    "receiver",
    "scans",
    "serials",
    "shelves",
    "sign_off",
    "signature",
    "sum",
    "taken",
    "tenders",
    "topics",
    "units",
    "words",
    "yes_no",
]
"""What the phone can ask: each type is one way of answering, whatever it is for."""

_NAMES = UUID("0198c0de-f0a5-7000-8000-000000000005")


class Option(Struct):
    """An answer that may be chosen, and the pictures that it asks for."""

    value: str
    photo_slots: list[str]


class Slot(Struct, kw_only=True):
    """One thing to capture; `name` is where it stands in the capture's payload.

    `required`: the step is not passed over without saying so. With `proof` it is required where
    the recipe of the job names that proof, and only offered elsewhere. `scan_kind`: every beep is a
    capture of its own, of that kind, and no part of this one.
    """

    name: str
    type: SlotType
    required: bool
    proof: str | None
    options: list[Option]
    scan_kind: ScanKind | None


class Form(Struct, kw_only=True):
    """A piece of work on a job: what is captured, as which type and number, in which steps.

    `position`: where it stands among all. `job`: the kind of document it is done on; null where it
    stands alone. `job_id`: the name under which the payload says which job. `beside`: kinds of
    documents that it may be about without being a part of their work (`none`: it may be about none);
    then the payload says which one as `job_kind` and `job_id`. `undo`: it may be taken back for ten
    seconds. `version` changes with anything of it, so that an answer to another form is never taken
    for one to this.
    """

    name: str
    position: int
    job: str | None
    job_id: str | None
    beside: list[str]
    capture: str
    schema: int
    undo: bool
    slots: list[Slot]
    version: str


@dataclass(frozen=True)
class Asked:
    """A form as it is written here; the rest of it follows from the capture it makes."""

    name: str
    job: str | None
    capture: str
    slots: Sequence[Slot] = ()
    undo: bool = field(default=False, kw_only=True)
    beside: Sequence[str] = field(default=(), kw_only=True)

    def form(self, position: int = 0) -> Form:
        """Return it as the phone gets it."""
        captured = CAPTURES[self.capture]
        ids = ids_of(captured.handler)
        told = Form(
            name=self.name,
            position=position,
            job=self.job,
            job_id=ids[0] if ids else None,
            beside=[*self.beside],
            capture=self.capture,
            schema=captured.schema,
            undo=self.undo,
            slots=[*self.slots],
            version="",
        )
        told.version = hashlib.sha256(msgspec.json.encode(told)).hexdigest()[:12]
        return told


def _options(kind: Any, photos: Mapping[str, list[str]] | None = None) -> list[Option]:
    return [Option(value, (photos or {}).get(value, [])) for value in get_args(kind)]


def _reason(struct: type[Struct], name: str, photos: Mapping[str, list[str]]) -> Slot:
    kind = next(one.type for one in msgspec.structs.fields(struct) if one.name == name)
    return _slot(name, "choice", required=True, options=_options(kind, photos))


def _slot(
    name: str,
    kind: SlotType,
    *,
    required: bool = False,
    proof: str | None = None,
    options: Sequence[Option] = (),
    scan_kind: ScanKind | None = None,
) -> Slot:
    return Slot(
        name=name,
        type=kind,
        required=required,
        proof=proof,
        options=[*options],
        scan_kind=scan_kind,
    )


_AT_THE_DOOR = {
    "not_home": ["door"],
    "address": ["door"],
    "no_access": ["door"],
    "wrong_model": ["label"],
    "broken_seal": ["seal"],
}
_AT_THE_VISIT = {
    "site_not_ready": ["site"],
    "not_home": ["door"],
    "part_needed": ["part"],
    "unit_faulty": ["unit"],
}
_FOUND = {"hidden_damage": ["damage"], "part_missing": ["place"]}
_OF_A_PIECE = {"damaged": ["damage"]}
_ANY_JOB = get_args(JobKind)
_WORDS = _slot("words", "words")
_SAID = [_slot("words", "words", required=True), _slot("photos", "photos")]
_PHOTOS = _slot("photos", "photos")

FORMS = (
    Asked("open_shift", "shift", "shift.open"),
    Asked("load", "shift", "scans.add", [_slot("scans", "scans", scan_kind="load")]),
    Asked("take_over", "shift", "scans.add", [_slot("scans", "taken", scan_kind="transfer")]),
    Asked(
        "close_shift",
        "shift",
        "shift.close",
        [_slot("explanations", "explanations", options=_options(ExplainedAs))],
    ),
    Asked(
        "shift_checklist",
        "shift_checklist",
        "checklist.answer",
        [_slot("answers", "answers", required=True)],
    ),
    Asked(
        "pick_up",
        "manifest",
        "manifest.confirm",
        [
            _slot("scans", "scans", required=True, scan_kind="pickup"),
            _slot("counted", "count", required=True),
        ],
    ),
    Asked("depart", "cargo", "scans.add", [_slot("scans", "scans", scan_kind="departure")]),
    Asked("hub_in", "cargo", "scans.add", [_slot("scans", "scans", scan_kind="hub_in")]),
    Asked("hub_out", "cargo", "scans.add", [_slot("scans", "scans", scan_kind="hub_out")]),
    Asked("take_run", "run", "run.accept"),
    Asked("accept_offer", "offer", "offer.accept"),
    Asked(
        "decline_offer",
        "offer",
        "offer.decline",
        [_slot("reason", "choice", required=True, options=_options(DeclinedAs))],
    ),
    Asked(
        "deliver",
        "stop",
        "pod.record",
        [
            _slot("place", "place"),
            _slot(
                "receiver",
                "receiver",
                required=True,
                proof="receiver",
                options=_options(Relation),
            ),
            _slot("scanned_labels", "labels", proof="scan"),
            _slot("photos", "photos", proof="photo"),
            _slot("kept_back", "kept_back", options=_options(KeptBackAs)),
            _slot("serials", "serials"),
            _slot("tenders", "tenders", proof="tender", options=_options(TenderMethod)),
            _slot("signature", "signature", proof="signature"),
            _slot("handover_code", "handover_code", proof="code"),
        ],
        undo=True,
    ),
    Asked(
        "not_delivered",
        "stop",
        "delivery.failed",
        [
            _slot("place", "place"),
            _slot("dwell_seconds", "dwell"),
            _reason(FailedAttempt, "reason", _AT_THE_DOOR),
            _PHOTOS,
            _slot("called", "yes_no", required=True),
            _slot("wished_on", "day"),
            _WORDS,
        ],
        undo=True,
    ),
    Asked("start_visit", "visit", "visit.start", [_slot("place", "place")]),
    Asked(
        "complete_visit",
        "visit",
        "visit.complete",
        [
            _slot("place", "place"),
            _slot("units", "units", required=True),
            _slot("photos", "photos", required=True),
            _slot("demo_topics", "topics", required=True),
            _slot("sign_off", "sign_off", required=True),
        ],
        undo=True,
    ),
    Asked(
        "cannot_finish",
        "visit",
        "visit.fail",
        [_reason(VisitFailed, "reason", _AT_THE_VISIT), _PHOTOS, _WORDS],
        undo=True,
    ),
    Asked(
        "found_at_visit",
        "visit",
        "visit.finding",
        [_reason(VisitFinding, "kind", _FOUND), _PHOTOS, _WORDS],
        undo=True,
    ),
    Asked(
        "add_extras",
        "visit",
        "visit.extras",
        [
            _slot("lines", "extras", required=True),
            _slot("shown_minor", "sum"),
            _slot("sign_off", "agreement", required=True),
        ],
        undo=True,
    ),
    Asked("part_fitted", "visit", "visit.part_fitted", undo=True),
    Asked("start_pick", "pick_list", "pick.start"),
    Asked(
        "check",
        "pick_list",
        "check.scan",
        [_slot("scans", "codes", required=True)],
    ),
    Asked(
        "pack",
        "pick_list",
        "pack.close",
        [_slot("pieces", "boxes", required=True)],
    ),
    Asked("pick_again", "pick_list", "pick.again", [_WORDS]),
    Asked(
        "receive",
        "arrival",
        "receipt.scan",
        [_slot("scans", "receipt", required=True, options=_options(Grade))],
    ),
    Asked("finish_receipt", "arrival", "receipt.finish"),
    Asked(
        "count",
        "count",
        "count.enter",
        [_slot("entries", "shelves", required=True)],
    ),
    Asked("finish_count", "count", "count.finish"),
    Asked(
        "unexpected_goods",
        None,
        "goods.unannounced",
        [_slot("code", "code", required=True), _WORDS],
    ),
    Asked(
        "report_piece",
        None,
        "piece.report",
        [
            _slot("labels", "pieces", required=True),
            _reason(PieceReport, "kind", _OF_A_PIECE),
            _PHOTOS,
            _WORDS,
        ],
        undo=True,
    ),
    Asked(
        "stock_differs",
        None,
        "stock.propose",
        [
            _slot("sku", "product", required=True),
            _slot("quantity", "difference", required=True),
            _slot("serials", "serials"),
            _reason(AdjustmentIn, "reason", {}),
            _slot("words", "words", required=True),
        ],
    ),
    Asked("note", None, "note.add", _SAID, beside=_ANY_JOB, undo=True),
    Asked(
        "problem",
        None,
        "problem.report",
        [_reason(ProblemReport, "about", {}), *_SAID],
        beside=[*_ANY_JOB, "none"],
        undo=True,
    ),
    Asked(
        "amend",
        None,
        "amend.add",
        [_slot("amends", "event", required=True), *_SAID],
        beside=_ANY_JOB,
        undo=True,
    ),
    Asked("appeal", "proof", "proof.appeal", _SAID, undo=True),
)
"""Every form, in the order in which a job offers them."""


def forms_for(actor: Actor) -> Sequence[tuple[UUID, Form]]:
    """Give the forms whose captures the actor may make, each with the id of its document."""
    return _forms_of(actor.role)


@cache
def _forms_of(role: str) -> tuple[tuple[UUID, Form], ...]:
    """They are the same for every pull of a role, so they are written once."""
    return tuple(
        (uuid5(_NAMES, asked.name), asked.form(position))
        for position, asked in enumerate(FORMS)
        if may(role, CAPTURES[asked.capture].handler.opt["permission"])
    )
