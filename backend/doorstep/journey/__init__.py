"""The order journey: the table of stages, the engine that moves along it, its hash chain.

Owns fulfilment, fulfilment_line, journey_event, held_step, detour_case and journey_checkpoint.
Never knows stock, money, carriers or messages: those react (flows/reactions.py).
"""

from doorstep.journey.describe import as_table, describe
from doorstep.journey.engine import advance, announce, lock, set_po, state_fact
from doorstep.journey.facts import Answer, Fact, Reaction, bind, derived_id
from doorstep.journey.rules import Evidence, How, Verdict

__all__ = [
    "Answer",
    "Evidence",
    "Fact",
    "How",
    "Reaction",
    "Verdict",
    "advance",
    "announce",
    "as_table",
    "bind",
    "derived_id",
    "describe",
    "lock",
    "set_po",
    "state_fact",
]
