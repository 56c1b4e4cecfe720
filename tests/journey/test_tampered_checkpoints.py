"""Checkpoints that were tampered with, and how the doctor as a whole says what was done (IA8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from doorstep import doctor
from tests.support.intruder import DELETE, History, report, tampered


async def test_every_checkpoint_changed_exchanged_or_removed(history: History) -> None:
    last = len(history.checkpoints)
    changes: dict[str, tuple[tuple[Any, ...], ...]] = {}
    for seq in range(1, last + 1):
        for column, other in (
            ("heads", "heads || '{\"x\": 1}'"), ("heads", "'{}'"), ("heads", "'[]'"), ("heads", "'null'"),
            ("heads", "'{\"00000000-0000-7000-8000-000000000000\": [\"x\", 7]}'"), ("hash", "hash || 'x'"),
            ("prev_hash", "prev_hash || 'x'"), ("seq", "seq + 1000"),
        ):  # fmt: skip
            statement = f"UPDATE journey_checkpoint SET {column} = {other} WHERE seq = $1"
            changes[f"{column} = {other} of {seq}"] = ((statement, seq),)
        if seq < last:
            removal = "DELETE FROM journey_checkpoint WHERE seq = $1"
            changes[f"{seq} removed"] = ((removal, seq),)
            swap = "UPDATE journey_checkpoint SET seq = $2 WHERE seq = $1"
            changes[f"{seq} exchanged"] = (
                (swap, seq, 99),
                (swap, seq + 1, seq),
                (swap, 99, seq + 1),
            )
    for words, statements in changes.items():
        async with tampered(history, *statements):
            found = {one.check for one in await doctor.run()}
        assert "IA8 checkpoints" in found, words
        history.tried += 1
    await report(history, "checkpoints")


CLASSES: dict[str, Callable[[UUID], tuple[tuple[Any, ...], str]]] = {
    "a column": lambda p: (("UPDATE journey_event SET device = 'x' WHERE fulfilment_id = $1"
                            " AND seq = 5", p), f"IA8 events: {p} #5: its columns were changed"),
    "a byte": lambda p: (("UPDATE journey_event SET body = set_byte(body, 0, 0) WHERE"
                          " fulfilment_id = $1 AND seq = 5", p),
                         f"IA8 events: {p} #5: its body was changed"),
    "an event": lambda p: ((DELETE, p, 5), f"IA8 events: {p} #6: an event before it is missing: 5"),
    "two events": lambda p: (("DELETE FROM journey_event WHERE fulfilment_id = $1 AND seq IN (5, 6)",
                              p), f"IA8 events: {p} #7: events before it are missing: 5 to 6"),
    "the tail": lambda p: (("DELETE FROM journey_event WHERE fulfilment_id = $1 AND seq > 5", p),
                           f"IA8 heads: {p}: the chain ends at 5, the fulfilment says "),
    "the parcel": lambda p: (("WITH gone AS (DELETE FROM journey_event WHERE fulfilment_id = $1)"
                              " DELETE FROM fulfilment WHERE id = $1", p),
                             f"IA8 fulfilments: {p}: the fulfilment of checkpoint 1 is gone"),
}  # fmt: skip


@pytest.mark.parametrize("what", CLASSES)
async def test_the_doctor_itself_says_it_in_one_line(history: History, what: str) -> None:
    for parcel in history.parcels:
        statement, words = CLASSES[what](parcel)
        async with tampered(history, statement):
            said = [str(one) for one in await doctor.run()]
        assert any(one.startswith(words) for one in said), said
        history.tried += 1
    await report(history, f"{what} as the doctor says it")
