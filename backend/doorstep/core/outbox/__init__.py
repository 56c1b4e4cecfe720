"""The outbox: what has to happen because of a fact, written in the fact's own transaction.

Owns the table `outbox`. A row is done only when its effect is recorded; until then somebody runs
it again. Redis only carries the news that there is something to do, so losing it loses nothing.

Use-cases need `add` (and `done` in a job that records its effect); the rest is for the worker and
the people who look after it.
"""

from doorstep.core.outbox.bell import wake
from doorstep.core.outbox.letters import DeadLetter, dead_letters, replay
from doorstep.core.outbox.rows import (
    Addition,
    AlreadyDone,
    Current,
    add,
    add_many,
    done,
    running,
)

__all__ = [
    "Addition",
    "AlreadyDone",
    "Current",
    "DeadLetter",
    "add",
    "add_many",
    "dead_letters",
    "done",
    "replay",
    "running",
    "wake",
]
