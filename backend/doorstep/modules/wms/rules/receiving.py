"""Decisions of receiving: what a scanned code is among the goods that are to come in. No I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple
from uuid import UUID

from doorstep.modules.wms.rules import Grade

ArrivalKind = Literal["purchase", "return_to_origin", "customer_return", "transfer"]

RETURNS: frozenset[str] = frozenset({"return_to_origin", "customer_return"})

Verdict = Literal[
    "right",
    "taken_back",
    "unknown_code",
    "over",
    "serial_needed",
    "serial_of_other_product",
    "serial_of_other_parcel",
    "serial_known",
    "already_scanned",
    "one_at_a_time",
    "not_scrap",
    "nothing_to_take_back",
    "ended",
]

DIFFERENCES: frozenset[str] = frozenset(
    {
        "over", "unknown_code", "serial_of_other_product", "serial_of_other_parcel",
        "serial_known",
    }
)  # fmt: skip
"""Verdicts about the goods; the others are about how somebody scanned, and are put right by scanning
again. A scan after the end is kept too: its goods are in somebody's hands."""

ENDED_WORDS = "Nothing of this arrival is awaited any more: put the goods aside, a desk is asked."


class OpenLine(NamedTuple):
    """What of an expected line has not been scanned yet.

    `serials` are those that may come: announced ones, or those that left with the parcel; None
    means any.
    """

    line_id: UUID
    product_id: UUID
    sku: str
    barcode: str
    serialised: bool
    open: int
    serials: frozenset[str] | None


class ScannedCode(NamedTuple):
    """A beep: a barcode, a barcode with the serial beside it, or a serial alone."""

    code: str
    serial: str | None
    quantity: int
    grade: Grade


class Reading(NamedTuple):
    """What a scanned code is, in words where it is wrong."""

    verdict: Verdict
    words: str
    line_id: UUID | None = None
    serial: str | None = None


def read_receipt(
    scan: ScannedCode,
    kind: ArrivalKind,
    lines: Sequence[OpenLine],
    known: Mapping[str, Collection[UUID]],
    scanned: Collection[str],
) -> Reading:
    """Tell whether a code belongs to the goods that are to come in, and to which line.

    `known` are the serial units we know: serial → its products. `scanned` are the serials that were
    right before in this round.
    """
    if scan.grade == "scrap" and kind not in RETURNS:
        return Reading(
            "not_scrap", "Only returned goods are received as scrap: grade it otherwise."
        )
    labelled = [line for line in lines if line.barcode == scan.code]
    if labelled and not labelled[0].serialised:
        return _counted(scan, labelled)
    if labelled and scan.serial is None:
        return Reading("serial_needed", f"Scan the serial of this {labelled[0].sku} with it.")
    if labelled and scan.serial is not None:
        return _serial(scan.serial, scan, kind, labelled, known, scanned)
    named = [line for line in lines if line.serials is not None and scan.code in line.serials]
    if named:
        return _serial(scan.code, scan, kind, named, known, scanned)
    return _stranger(scan.code, kind, lines, known)


def _counted(scan: ScannedCode, lines: Sequence[OpenLine]) -> Reading:
    for line in lines:
        if line.open >= scan.quantity:
            return Reading("right", "", line.line_id)
    return _over(lines)


def _over(lines: Sequence[OpenLine]) -> Reading:
    left = sum(line.open for line in lines)
    return Reading("over", f"More than expected: {left} × {lines[0].sku} are still to come.")


def _serial(
    serial: str,
    scan: ScannedCode,
    kind: ArrivalKind,
    lines: Sequence[OpenLine],
    known: Mapping[str, Collection[UUID]],
    scanned: Collection[str],
) -> Reading:
    products = known.get(serial, ())
    own = lines[0].product_id
    if scan.quantity != 1:
        return Reading("one_at_a_time", "Goods with serials are scanned one by one.")
    if serial in scanned:
        return Reading("already_scanned", f"Serial {serial} is already scanned.")
    if products and own not in products:
        return _of_other_product(serial)
    if kind == "purchase" and products:
        return Reading("serial_known", f"Serial {serial} was received before.")
    fitting = [line for line in lines if line.serials is None or serial in line.serials]
    if not fitting:
        return _not_awaited(serial, kind)
    for line in fitting:
        if line.open >= 1:
            return Reading("right", "", line.line_id, serial)
    return _over(fitting)


def _of_other_product(serial: str) -> Reading:
    return Reading("serial_of_other_product", f"Serial {serial} is another product's.")


def _not_awaited(serial: str, kind: ArrivalKind) -> Reading:
    if kind == "purchase":
        return Reading("unknown_code", f"Serial {serial} is not among the announced ones.")
    return Reading(
        "serial_of_other_parcel", f"Serial {serial} is not the one that left with these."
    )


def _stranger(
    code: str,
    kind: ArrivalKind,
    lines: Sequence[OpenLine],
    known: Mapping[str, Collection[UUID]],
) -> Reading:
    products = known.get(code, ())
    if not products:
        return Reading("unknown_code", "This code belongs to nothing that is expected here.")
    if not {line.product_id for line in lines} & set(products):
        return _of_other_product(code)
    if kind == "purchase":
        return Reading("serial_known", f"Serial {code} was received before.")
    return _not_awaited(code, kind)


class Left(NamedTuple):
    """A line after a round of receiving: how many pieces are still missing."""

    sku: str
    missing: int


def differences(lines: Iterable[Left], wrong: Iterable[tuple[str, str]]) -> list[str]:
    """Say what did not agree: pieces that are missing, and codes (code, words) that were wrong."""
    short = [f"Missing: {line.missing} × {line.sku}." for line in lines if line.missing]
    return short + list(dict.fromkeys(f"Code {code}: {words}" for code, words in wrong))
