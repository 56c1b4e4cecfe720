"""The order journey: the tables of stages and detours, the engine, its hash chain.

Owns fulfilment, fulfilment_line, journey_event, held_step, detour_case and journey_checkpoint.
Never knows stock, money, carriers or messages: those react (flows/reactions.py).
"""

from doorstep.journey.birth import Born, BornLine, begin, next_parcel
from doorstep.journey.dating import require_ahead
from doorstep.journey.describe import as_table, describe
from doorstep.journey.detouring import Quantity
from doorstep.journey.detours import BY_KIND as DETOURS
from doorstep.journey.engine import (
    accept_date,
    advance,
    announce,
    keep_date,
    lock,
    open_detour,
    pass_date,
    set_date,
    set_po,
    settle_detour,
    state_fact,
)
from doorstep.journey.facts import Answer, Fact, Reaction, bind, derived_id
from doorstep.journey.placing import (
    keep_lines,
    leave_place,
    move_line,
    move_to,
    set_flags,
    shorten_line,
)
from doorstep.journey.rules import Evidence, How, Verdict, label

__all__ = [
    "DETOURS",
    "Answer",
    "Born",
    "BornLine",
    "Evidence",
    "Fact",
    "How",
    "Quantity",
    "Reaction",
    "Verdict",
    "accept_date",
    "advance",
    "announce",
    "as_table",
    "begin",
    "bind",
    "derived_id",
    "describe",
    "keep_date",
    "keep_lines",
    "label",
    "leave_place",
    "lock",
    "move_line",
    "move_to",
    "next_parcel",
    "open_detour",
    "pass_date",
    "require_ahead",
    "set_date",
    "set_flags",
    "set_po",
    "settle_detour",
    "shorten_line",
    "state_fact",
]
