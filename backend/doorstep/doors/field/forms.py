"""What the phone asks for, step by step: each form is one capture, described for every version.

The phone knows how to ask each type of slot, and nothing of the business behind it: which slots
there are, in which order, what each demands and what may be answered stands here. Which proofs a
door needs is the stop's own recipe; how goods are installed is the checklist of the visit.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import get_args
from uuid import UUID, uuid5

from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import may
from doorstep.doors.field.captured import CAPTURES
from doorstep.doors.field.form_shapes import Asked, Form, options, reason, slot
from doorstep.modules.fsm.schemas import ExtraMethod, VisitFailed, VisitFinding
from doorstep.modules.helpdesk.schemas import JobKind, ProblemReport
from doorstep.modules.tms.schemas import (
    DeclinedAs,
    ExplainedAs,
    FailedAttempt,
    KeptBackAs,
    PieceReport,
    Relation,
    TenderMethod,
)
from doorstep.modules.wms.rules import Grade
from doorstep.modules.wms.schemas import AdjustmentIn

_NAMES = UUID("0198c0de-f0a5-7000-8000-000000000005")

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
_WORDS = slot("words", "words")
_SAID = [slot("words", "words", required=True), slot("photos", "photos")]
_PHOTOS = slot("photos", "photos")

FORMS = (
    Asked("open_shift", "shift", "shift.open"),
    Asked("load", "shift", "scans.add", [slot("scans", "scans", scan_kind="load")]),
    Asked("take_over", "shift", "scans.add", [slot("scans", "taken", scan_kind="transfer")]),
    Asked(
        "close_shift",
        "shift",
        "shift.close",
        [slot("explanations", "explanations", options=options(ExplainedAs))],
    ),
    Asked(
        "shift_checklist",
        "shift_checklist",
        "checklist.answer",
        [slot("answers", "answers", required=True)],
    ),
    Asked(
        "pick_up",
        "manifest",
        "manifest.confirm",
        [
            slot("scans", "scans", required=True, scan_kind="pickup"),
            slot("counted", "count", required=True),
        ],
        ends=True,
    ),
    Asked("depart", "cargo", "scans.add", [slot("scans", "scans", scan_kind="departure")]),
    Asked("hub_in", "cargo", "scans.add", [slot("scans", "scans", scan_kind="hub_in")]),
    Asked("hub_out", "cargo", "scans.add", [slot("scans", "scans", scan_kind="hub_out")]),
    Asked("scan_back", "van_out", "scans.add", [slot("scans", "taken", scan_kind="custody")]),
    Asked("take_run", "run", "run.accept"),
    Asked("accept_offer", "offer", "offer.accept"),
    Asked(
        "decline_offer",
        "offer",
        "offer.decline",
        [slot("reason", "choice", required=True, options=options(DeclinedAs))],
    ),
    Asked(
        "deliver",
        "stop",
        "pod.record",
        [
            slot("place", "place"),
            slot(
                "receiver",
                "receiver",
                required=True,
                proof="receiver",
                options=options(Relation),
            ),
            slot("scanned_labels", "labels", proof="scan"),
            slot("photos", "photos", proof="photo"),
            slot("kept_back", "kept_back", options=options(KeptBackAs)),
            slot("serials", "serials"),
            slot("tenders", "tenders", proof="tender", options=options(TenderMethod)),
            slot("signature", "signature", proof="signature"),
            slot("handover_code", "handover_code", proof="code"),
        ],
        undo=True,
        ends=True,
    ),
    Asked("ask_for_link", "stop", "link.ask"),
    Asked(
        "not_delivered",
        "stop",
        "delivery.failed",
        [
            slot("place", "place"),
            slot("dwell_seconds", "dwell"),
            reason(FailedAttempt, "reason", _AT_THE_DOOR),
            slot("called", "yes_no", required=True),
            _PHOTOS,
            slot("wished_on", "day"),
            _WORDS,
        ],
        undo=True,
        ends=True,
    ),
    Asked("start_visit", "visit", "visit.start", [slot("place", "place")]),
    Asked(
        "complete_visit",
        "visit",
        "visit.complete",
        [
            slot("place", "place"),
            slot("units", "units", required=True),
            slot("photos", "photos", required=True),
            slot("demo_topics", "topics", required=True),
            slot("sign_off", "sign_off", required=True),
        ],
        undo=True,
        ends=True,
    ),
    Asked(
        "cannot_finish",
        "visit",
        "visit.fail",
        [reason(VisitFailed, "reason", _AT_THE_VISIT), _PHOTOS, _WORDS],
        undo=True,
        ends=True,
    ),
    Asked(
        "found_at_visit",
        "visit",
        "visit.finding",
        [reason(VisitFinding, "kind", _FOUND), _PHOTOS, _WORDS],
        undo=True,
    ),
    Asked(
        "add_extras",
        "visit",
        "visit.extras",
        [
            slot("lines", "extras", required=True),
            slot("shown_minor", "sum"),
            slot("sign_off", "agreement", required=True),
        ],
        undo=True,
    ),
    Asked(
        "pay_extras",
        "visit",
        "visit.extras_paid",
        [
            slot("tenders", "bill", required=True, options=options(ExtraMethod)),
            slot("bill_later", "later"),
            slot("shown_minor", "sum"),
        ],
        undo=True,
    ),
    Asked("part_fitted", "visit", "visit.part_fitted", undo=True),
    Asked("start_pick", "pick_list", "pick.start"),
    Asked(
        "check",
        "pick_list",
        "check.scan",
        [slot("scans", "codes", required=True)],
    ),
    Asked("pack", "pick_list", "pack.close", [slot("pieces", "boxes", required=True)], ends=True),
    Asked("pick_again", "pick_list", "pick.again", [_WORDS]),
    Asked(
        "receive",
        "arrival",
        "receipt.scan",
        [slot("scans", "receipt", required=True, options=options(Grade))],
    ),
    Asked("finish_receipt", "arrival", "receipt.finish", ends=True),
    Asked(
        "count",
        "count",
        "count.enter",
        [slot("entries", "shelves", required=True)],
    ),
    Asked("finish_count", "count", "count.finish", ends=True),
    Asked(
        "unexpected_goods",
        None,
        "goods.unannounced",
        [slot("code", "code", required=True), _WORDS],
    ),
    Asked(
        "report_piece",
        None,
        "piece.report",
        [
            slot("labels", "pieces", required=True),
            reason(PieceReport, "kind", _OF_A_PIECE),
            _PHOTOS,
            _WORDS,
        ],
        undo=True,
        offered_on=["manifest", "cargo", "stop", "shift", "waiting"],
    ),
    Asked(
        "stock_differs",
        None,
        "stock.propose",
        [
            slot("sku", "product", required=True),
            slot("quantity", "difference", required=True),
            slot("serials", "serials"),
            reason(AdjustmentIn, "reason", {}),
            slot("words", "words", required=True),
        ],
    ),
    Asked("note", None, "note.add", _SAID, beside=_ANY_JOB, undo=True),
    Asked(
        "problem",
        None,
        "problem.report",
        [reason(ProblemReport, "about", {}), *_SAID],
        beside=[*_ANY_JOB, "none"],
        undo=True,
    ),
    Asked(
        "amend",
        None,
        "amend.add",
        [slot("amends", "event", required=True), *_SAID],
        beside=_ANY_JOB,
        undo=True,
    ),
    Asked(
        "appeal",
        "proof",
        "proof.appeal",
        [slot("handover_code", "handover_code", proof="code"), *_SAID],
        undo=True,
    ),
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
