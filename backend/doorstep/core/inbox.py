"""The inbox: what others sent us, stored raw first, then handled exactly once by a job.

Owns the table `inbox`. A message whose order, AWB or job is not known yet waits for that key and
is handled when it appears; after 24 hours it becomes a problem for a person. So any order of
arrival, with any repeats, ends in the same state (IQ4).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from doorstep.core import db, outbox
from doorstep.core.clock import now
from doorstep.core.failpoints import failpoint
from doorstep.core.ids import uuid7
from doorstep.core.jobs import RetryAt, job, recurring

LONGEST_WAIT = timedelta(hours=24)
ATTEMPTS = 12

log = structlog.get_logger(__name__)

_ARRIVED = """
WITH arrived AS (
  INSERT INTO inbox (id, source, source_id, headers, body, received_at)
  VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (source, source_id) DO NOTHING
  RETURNING id
)
SELECT outbox_add('inbox.handle', jsonb_build_object('inbox_id', id), run_at => now()) FROM arrived
"""
_OPEN = """
SELECT id, source, source_id, headers, body, received_at
FROM inbox WHERE id = $1 AND state <> 'done' FOR UPDATE
"""
_DONE = "UPDATE inbox SET state = 'done', waits_for = NULL, done_at = now() WHERE id = $1"
_PARK = "UPDATE inbox SET state = 'waiting', waits_for = $2 WHERE id = $1 AND state <> 'done'"
_FAILED = """
UPDATE inbox
SET attempts = attempts + 1, last_error = $2,
    state = CASE WHEN attempts + 1 >= $3 THEN 'problem' ELSE state END
WHERE id = $1 AND state <> 'done'
"""
_GIVE_UP = """
WITH late AS (
  UPDATE inbox SET state = 'problem', last_error = 'Waited 24 hours for ' || waits_for || '.'
  WHERE state = 'waiting' AND received_at < $1
  RETURNING id, source, source_id, last_error
)
SELECT outbox_add('helpdesk.open_problem', jsonb_build_object(
         'kind', 'webhook_unmatched',
         'title', 'A message from ' || source || ' belongs to nothing we know',
         'detail', last_error || ' Its id there: ' || source_id,
         'ref', 'inbox:' || id
       ), with_key => 'inbox_problem:' || id)
FROM late
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What was sent: the exact bytes, and the headers that the door kept."""

    id: UUID
    source: str
    source_id: str
    headers: dict[str, str]
    body: bytes
    received_at: datetime


class WaitsFor(Exception):
    """Raised by a handler: it is about something we do not know yet ("order:AE:100042")."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class UnknownSource(LookupError):
    """No handler is registered for a message's source."""


Handler = Callable[[Message], Awaitable[None]]

_handlers: dict[str, Handler] = {}


def handler(source: str) -> Callable[[Handler], Handler]:
    """Handle every message of a source with this function, in the transaction that marks it done.

    It writes facts and outbox rows and calls nobody outside. Raising undoes it: `WaitsFor` parks
    the message until the key appears, anything else has it handled again later.
    """

    def register(handle: Handler) -> Handler:
        if _handlers.setdefault(source, handle) is not handle:
            raise ValueError(f"Two handlers for {source}.")
        return handle

    return register


async def receive(source: str, source_id: str, body: bytes, headers: Mapping[str, str]) -> bool:
    """Keep a message whose signature was checked; tell whether it is new (one statement).

    `source_id` is what the sender calls it: the same one again changes nothing.
    """
    failpoint("inbox.before_store")
    row_id = await db.value(_ARRIVED, uuid7(), source, source_id, dict(headers), body, now())
    if row_id is None:
        return False
    failpoint("inbox.after_store")
    db.after_commit(outbox.wake)
    return True


async def key_appeared(*keys: str) -> None:
    """Have every message that waits for one of these keys handled, once this transaction commits.

    Call it in the transaction that creates what the keys name; SQL functions call
    `inbox_key_appeared(text[])`.
    """
    if await db.value("SELECT inbox_key_appeared($1)", list(keys)):
        db.after_commit(outbox.wake)


@job("inbox.handle", timeout=20, attempts=ATTEMPTS)
async def handle(payload: dict[str, Any]) -> None:
    """Handle the message `inbox_id`, or park it until the key it waits for appears."""
    inbox_id = UUID(payload["inbox_id"])
    parked_for = None
    while True:
        try:
            await _handle(inbox_id)
            return
        except WaitsFor as waiting:
            # The key may have appeared between the look and the parking, so look once more. A
            # creator that commits later finds the message parked (see inbox_lock in SQL).
            if waiting.key == parked_for:
                return
            await _park(inbox_id, waiting.key)
            parked_for = waiting.key
        except (outbox.AlreadyDone, RetryAt):
            raise
        except Exception as failure:
            reason = f"{type(failure).__name__}: {failure}"[:2000]
            await db.execute(_FAILED, inbox_id, reason, ATTEMPTS)
            raise


@db.transactional
async def _handle(inbox_id: UUID) -> None:
    found = await db.row(_OPEN, inbox_id)
    if found is not None:
        message = Message(**found)
        if message.source not in _handlers:
            raise UnknownSource(message.source)
        await _handlers[message.source](message)
        failpoint("inbox.before_done")
        await db.execute(_DONE, inbox_id)
    await outbox.done()


@db.transactional
async def _park(inbox_id: UUID, key: str) -> None:
    await db.value("SELECT inbox_lock($1)", key)
    await db.execute(_PARK, inbox_id, key)
    log.info("inbox.waits", id=inbox_id, waits_for=key)


@recurring("inbox.give_up_waiting", every=60)
@db.transactional
async def give_up_waiting(_payload: dict[str, Any]) -> None:
    """Turn every message that has waited for 24 hours into a problem for a person."""
    if late := await db.rows(_GIVE_UP, now() - LONGEST_WAIT):
        db.after_commit(outbox.wake)
        log.warning("inbox.gave_up", messages=len(late))
    await outbox.done()
