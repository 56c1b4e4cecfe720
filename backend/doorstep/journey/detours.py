"""Beside the first table: the detours of SPEC §J, each a row of what may go wrong.

Nothing ever moves back. A detour is noted beside the journey, blocks it from a stage on, starts a
new attempt from a stage, or ends the fulfilment; goods still owed go on in another one. What each
sets off stands in `flows/reactions.py`, what the customer reads in `texts/detours.<language>.json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from doorstep.core.actor import ROLES
from doorstep.journey.stages import BY_CODE, BadTable

ENDS = ("cancelled", "returned", "lost", "replaced")


class Detour(NamedTuple):
    """One way in which an order goes wrong.

    It may open once stage `first` is settled and until `until` is. `opened_by` and `settled_by` are
    roles. At most one of `blocks_from` (steps from there on are held), `restarts` (a new attempt
    begins at that stage) and `ends_as` is set; none means that it is only noted. Passing a stage of
    `settled_at` settles it by itself. `holds_from`: tranches of this number and above wait while it
    is open. `told`: the customer hears of it. `undoes` says in words what it gives back.
    `dated_by`: roles that may say by when it is expected to be over; `accepted_by`: roles that may say
    yes to such a date.
    """

    kind: str
    department: str
    first: int
    until: int | None
    opened_by: frozenset[str]
    settled_by: frozenset[str]
    undoes: str
    blocks_from: int | None = None
    restarts: int | None = None
    ends_as: str | None = None
    settled_at: frozenset[int] = frozenset()
    holds_from: int | None = None
    reasons: frozenset[str] = frozenset()
    told: bool = False
    dated_by: frozenset[str] = frozenset()
    accepted_by: frozenset[str] = frozenset()

    @property
    def recurs(self) -> bool:
        """Tell whether it may end by a scan and begin again on one way.

        Then each of a carrier's reports is a case of its own, of which his clock tells the last: so
        it ends the same in whatever order reports and scans are heard.
        """
        return self.restarts is not None or bool(self.settled_at - {self.until})


def _of(names: str) -> frozenset[str]:
    return frozenset(names.split())


def _at(*stages: int) -> frozenset[int]:
    return frozenset(stages)


_DESK = "dispatcher support admin"
_FLOOR = "warehouse store vendor_store"
_ROAD = "courier delivery"

# fmt: off
DETOURS: tuple[Detour, ...] = (
    # --- Payment, approval, stock -----------------------------------------------------------------
    Detour("payment_pending", "Finance", 1001, 1002, _of("system"), _of("system finance"),
           "nothing: the hold runs on", settled_at=_at(1002), told=True),
    Detour("payment_failed", "Finance", 1001, 1002, _of("system"), _of("system finance"),
           "nothing: the hold runs on until it expires", settled_at=_at(1002), told=True),
    Detour("payment_expired", "Finance", 1001, 1002, _of("system"), _of("system finance"),
           "the hold is given back; a late payment is routed again", settled_at=_at(1002), told=True),
    Detour("approval_waiting", "Finance", 1001, 1003, _of("system"),
           _of("finance dispatcher sales admin system"), "nothing: the hold runs on",
           blocks_from=1003, reasons=_of("payment reservation")),
    Detour("short_stock", "OMS", 1001, 1003, _of("system"), _of("system dispatcher admin"),
           "nothing is reserved until goods are found", blocks_from=1003, settled_at=_at(1003),
           told=True, dated_by=_of(f"{_DESK} system"), accepted_by=_of("customer")),
    # --- Vendor -----------------------------------------------------------------------------------
    Detour("vendor_silent", "Procurement", 1003, 1004, _of("system"), _of("system dispatcher admin"),
           "nothing yet: at the deadline the goods are sourced elsewhere", settled_at=_at(1004)),
    Detour("vendor_declined", "Procurement", 1003, 1004, _of("vendor system dispatcher"), _of(""),
           "the allocation is given back, the purchase order closed, the goods routed again",
           ends_as="replaced", reasons=_of("declined silent")),
    Detour("vendor_partial", "Procurement", 1003, 1005, _of("vendor"), _of("system"),
           "lines, allocation and purchase order are reduced; the rest is sourced elsewhere",
           settled_at=_at(1004)),
    Detour("vendor_ready_later", "Procurement", 1003, 1005, _of("vendor"), _of("system dispatcher"),
           "nothing: the promise moves", settled_at=_at(1005), told=True,
           dated_by=_of(f"{_DESK} vendor")),
    # --- Warehouse and dispatch -------------------------------------------------------------------
    Detour("qc_mismatch", "Warehouse", 1005, 1006, _of(f"{_FLOOR} system"), _of(f"{_FLOOR} dispatcher"),
           "nothing: the right goods are scanned", blocks_from=1006, settled_at=_at(1006)),
    Detour("repick", "Warehouse", 1005, 1007, _of(f"{_FLOOR} dispatcher"), _of("system"),
           "picked units go back to the shelf, the pick list is open again", restarts=1005,
           settled_at=_at(1005)),
    Detour("pickup_missed", "Dispatch", 1008, 1009, _of("system dispatcher"),
           _of("system dispatcher admin"), "nothing: a new pickup window", settled_at=_at(1009)),
    # --- On the road ------------------------------------------------------------------------------
    Detour("carrier_delayed", "Transport", 1008, 1013, _of("system dispatcher"),
           _of("system dispatcher admin"), "nothing: the promise moves", settled_at=_at(1012, 1013),
           told=True),
    # What the carrier tells of the road holds what falls due behind it. V1 to V3 are earned before:
    # whether the capture or the pickup scan is heard before this or after, they end the same.
    Detour("carrier_lost", "Transport", 1008, 1013, _of(f"{_ROAD} {_FLOOR} system dispatcher"), _of(_DESK),
           "nothing until a person decides: found, or lost", settled_at=_at(1013), holds_from=4,
           told=True),
    Detour("carrier_damaged", "Transport", 1008, 1013, _of(f"{_ROAD} {_FLOOR} system dispatcher"), _of(_DESK),
           "nothing until a person decides: deliver, or replace", settled_at=_at(1013),
           holds_from=4, told=True),
    Detour("delivery_failed", "Delivery", 1012, 1013, _of(f"{_ROAD} system dispatcher"),
           _of("system dispatcher"), "stop and handover code of the attempt; the dependent visit moves",
           restarts=1012, settled_at=_at(1012, 1013), told=True,
           reasons=_of("not_home refused address unreachable no_access cash_not_ready other")),
    Detour("return_to_origin", "Transport", 1009, 1013, _of("system dispatcher"),
           _of("system dispatcher admin"),
           "open stops, the visit and the handover code; the goods are expected back",
           settled_at=_at(1013), holds_from=4, told=True),
    Detour("wrong_goods", "Delivery", 1012, 1013, _of(f"{_ROAD} dispatcher"), _of(""),
           "stop, code and visit; the goods are expected back, the right ones routed",
           ends_as="replaced", reasons=_of("wrong_model broken_seal"), told=True),
    # --- After the door ---------------------------------------------------------------------------
    Detour("serial_differs", "Delivery", 1012, None, _of(f"{_ROAD} technician system dispatcher"),
           _of("vendor dispatcher admin"), "nothing: V4 to V6 wait for the vendor's word", holds_from=4),
    Detour("hidden_damage", "Service", 1013, None, _of("customer support technician dispatcher"),
           _of(_DESK), "nothing until a person decides: repair, or replace",
           blocks_from=1014, holds_from=1, told=True),
    # Without an installation 1015 is passed with the delivery, and what is dead is found after it.
    Detour("dead_on_arrival", "Service", 1013, None, _of("technician support dispatcher"),
           _of(_DESK), "nothing until a person decides: repair, or replace",
           blocks_from=1015, holds_from=1, told=True),
    Detour("part_missing", "Service", 1013, None, _of("technician customer support dispatcher"),
           _of(f"{_DESK} technician"), "nothing: the part is sent", blocks_from=1015,
           holds_from=4, told=True),
    Detour("installation_failed", "Service", 1014, 1015, _of("technician dispatcher"),
           _of("system dispatcher"), "the visit; the next one is booked", restarts=1014,
           settled_at=_at(1014), told=True,
           reasons=_of("site_not_ready not_home part_needed unit_faulty demo_refused unsafe")),
    # --- Ends, returns, disputes ------------------------------------------------------------------
    Detour("cancelled", "Sales", 1001, 1009, _of(f"{_DESK} sales customer system"), _of(""),
           "holds and allocations, purchase order, pick list, shipment, stop, visit; money is owed back",
           ends_as="cancelled", reasons=_of("customer unpaid no_stock fraud duplicate other"), told=True),
    Detour("cancelled_after_dispatch", "Sales", 1009, 1013, _of(f"{_DESK} system"), _of(""),
           "stop, code and visit; the goods are expected back; money is owed back",
           ends_as="cancelled", reasons=_of("customer fraud duplicate other"), told=True),
    Detour("lost", "Transport", 1008, 1013, _of(f"{_DESK} system"), _of(""),
           "stop, code and visit; the goods are written off, the same ones routed again",
           ends_as="lost", told=True),
    Detour("replaced", "Service", 1008, None, _of(f"{_DESK} system"), _of(""),
           "stop, code and visit; the goods are expected back, the same ones routed again",
           ends_as="replaced", told=True,
           reasons=_of("damaged wrong_goods hidden_damage dead_on_arrival exchange other")),
    Detour("return_requested", "CRM", 1013, None, _of("customer support"), _of("support system admin"),
           "nothing until the goods are here", holds_from=1, told=True,
           reasons=_of("changed_mind damaged not_as_described exchange other")),
    Detour("returned_part", "CRM", 1013, None, _of("system"), _of("finance"),
           "what came back goes to its owner's stock by its grade; money is owed back", holds_from=1,
           told=True),
    Detour("returned", "CRM", 1009, None, _of("system"), _of(""),
           "what came back goes to its owner's stock by its grade; money is owed back",
           ends_as="returned", told=True),
    Detour("dispute", "Finance", 1001, None, _of("vendor finance support"), _of("finance"),
           "nothing: tranches wait", holds_from=1),
)
# fmt: on

BY_KIND: Mapping[str, Detour] = {detour.kind: detour for detour in DETOURS}


def check(detours: tuple[Detour, ...] = DETOURS) -> None:
    """Refuse a table with an unknown stage, role, end or tranche, or a row that does two things.

    Raises: BadTable.
    """
    if len({detour.kind for detour in detours}) != len(detours):
        raise BadTable("a detour stands twice")
    for detour in detours:
        named = {
            detour.first,
            detour.until,
            detour.blocks_from,
            detour.restarts,
            *detour.settled_at,
        }
        if not named - {None} <= BY_CODE.keys():
            raise BadTable(f"{detour.kind} names a stage that there is not")
        roles = detour.opened_by | detour.settled_by | detour.dated_by | detour.accepted_by
        if not detour.opened_by or not roles <= set(ROLES):
            raise BadTable(f"{detour.kind} names no role, or one that there is not")
        effects = (detour.blocks_from, detour.restarts, detour.ends_as)
        if sum(effect is not None for effect in effects) > 1:
            raise BadTable(f"{detour.kind} has more than one effect")
        if detour.ends_as is not None and detour.ends_as not in ENDS:
            raise BadTable(f"{detour.kind} ends as {detour.ends_as}, which is no end")
        if detour.ends_as is None and not (detour.settled_by or detour.settled_at):
            raise BadTable(f"nothing settles {detour.kind}")
        if detour.accepted_by and not detour.dated_by:
            raise BadTable(f"{detour.kind} has no date that anybody could accept")
        if detour.until is not None and detour.until <= detour.first:
            raise BadTable(f"{detour.kind} can never open")
        if detour.holds_from is not None and detour.holds_from not in range(1, 7):
            raise BadTable(f"{detour.kind} holds a tranche that there is not")


check()
