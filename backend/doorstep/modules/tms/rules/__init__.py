"""Pure decisions of transport: AWB numbers, labels, codes, recipes and what a capture lacks."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from doorstep.core.errors import Invalid

AWB_PREFIX = "DS"
_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_AWB = re.compile(r"[A-Z]{2}(\d{8})(\d)[A-Z]{2}")

CODE_DIGITS = 6
MAX_CODE_TRIES = 5
"""After so many wrong guesses the code of this attempt opens nothing any more."""

SCAN_STAGES: Mapping[str, tuple[int, str]] = {
    "pickup": (1009, "pickup_scan"),
    "departure": (1010, "departure_scan"),
    "hub_in": (1011, "hub_scan"),
}
"""Scan kinds that prove a stage once every piece of the shipment has one, and the proof's kind."""

FOLLOWED = frozenset({*SCAN_STAGES, "load", "transfer", "custody"})
"""Scan kinds that a job looks at: they prove a stage, or tell who has the goods now."""

Proof = Literal["scan", "photo", "code", "signature", "receiver", "place", "tender"]


class PickupWindowImpossible(Invalid):
    """The carrier's daily window ends before it begins."""

    title = "The pickup window ends before it begins."


def make_awb(number: int, country: str) -> str:
    """Write the AWB of our own fleet: the postal S10 form with its check digit."""
    serial = f"{number:08d}"
    return f"{AWB_PREFIX}{serial}{_s10_check_digit(serial)}{country[:2].upper():X<2}"


def awb_is_sound(awb: str) -> bool:
    """Tell whether a number of our own fleet was read without a wrong or swapped digit."""
    read = _AWB.fullmatch(awb)
    return read is not None and _s10_check_digit(read[1]) == int(read[2])


def _s10_check_digit(serial: str) -> int:
    weighted = sum(int(digit) * weight for digit, weight in zip(serial, _S10_WEIGHTS, strict=True))
    check = 11 - weighted % 11
    return {10: 0, 11: 5}.get(check, check)


def label_of(awb: str, piece: int) -> str:
    """Write what the barcode of piece n says."""
    return f"{awb}-{piece}"


def pickup_window(
    asked_at: datetime, opens: time, closes: time, zone: ZoneInfo, service: str
) -> tuple[datetime, datetime]:
    """Give the next pickup window on the channel's clock; express and overnight still go today.

    Standard waits for tomorrow's window once half of today's is over (SPEC P12).
    """
    local = asked_at.astimezone(zone)
    start = datetime.combine(local.date(), opens, zone)
    end = datetime.combine(local.date(), closes, zone)
    if start >= end:
        raise PickupWindowImpossible
    last_call = end if service != "standard" else start + (end - start) / 2
    if local >= last_call:
        return start + timedelta(days=1), end + timedelta(days=1)
    return max(start, local), end


def make_code(fulfilment_id: UUID, attempt: int, secret: str) -> str:
    """Make the handover code of an attempt, which nobody can foretell without our key.

    It is the same each time, so that the customer can have it sent once more although only its hash
    is stored, and a courier without a signal who has heard it is not made wrong.
    """
    bits = hmac.digest(secret.encode(), f"handover:{fulfilment_id}:{attempt}".encode(), "sha256")
    return f"{int.from_bytes(bits) % 10**CODE_DIGITS:0{CODE_DIGITS}d}"


def hash_code(code: str, fulfilment_id: UUID, attempt: int, secret: str) -> bytes:
    """Hash a handover code with our key, so that a copy of the table tells no code."""
    said = f"{fulfilment_id}:{attempt}:{code}".encode()
    return hmac.digest(secret.encode(), said, "sha256")


class Recipe(NamedTuple):
    """Which proofs a stop needs, and whom, which payment and which goods it was written for."""

    proofs: tuple[str, ...]
    photo_slots: tuple[str, ...] = ()
    channel_id: UUID | None = None
    product_id: UUID | None = None
    payment: str | None = None
    handed_to: str | None = None


DEFAULT_RECIPES = (
    Recipe(("scan", "photo", "code"), ("parcel",), payment="prepaid", handed_to="customer"),
    Recipe(("scan", "photo", "code", "tender"), ("parcel",), payment="cod", handed_to="customer"),
    Recipe(("receiver", "photo"), ("parcel",), payment="prepaid", handed_to="other"),
    Recipe(("receiver", "photo", "tender"), ("parcel",), payment="cod", handed_to="other"),
)
"""What holds where the installation has not written a recipe of its own (SPEC F)."""


def choose_recipe(
    recipes: Iterable[Recipe],
    *,
    channel_id: UUID,
    product_ids: Collection[UUID],
    payment: str,
    handed_to: str,
) -> Recipe:
    """Pick the recipe written most closely for this stop: goods, channel, payment, receiver.

    Any recipe of the installation that fits beats the defaults.
    """

    def fits(recipe: Recipe) -> bool:
        return (
            recipe.channel_id in (None, channel_id)
            and (recipe.product_id is None or recipe.product_id in product_ids)
            and recipe.payment in (None, payment)
            and recipe.handed_to in (None, handed_to)
        )

    own = [recipe for recipe in recipes if fits(recipe)]
    return max(own or filter(fits, DEFAULT_RECIPES), key=_closeness)


def _closeness(recipe: Recipe) -> tuple[bool, bool, bool, bool]:
    return (
        recipe.product_id is not None,
        recipe.channel_id is not None,
        recipe.payment is not None,
        recipe.handed_to is not None,
    )


class Capture(NamedTuple):
    """What a proof of delivery brings, as far as a recipe asks for it."""

    scanned_labels: Collection[str]
    photo_slots: Collection[str]
    has_code: bool
    has_signature: bool
    receiver_name: str
    has_place: bool
    tendered_minor: int


def missing_proofs(
    recipe: Recipe, capture: Capture, *, labels: Collection[str], due_minor: int
) -> list[str]:
    """Name the proofs of the recipe that the capture lacks, in the recipe's order."""
    missing: list[str] = []
    for proof in recipe.proofs:
        missing += _lacking(proof, recipe, capture, labels, due_minor)
    return missing


def _lacking(
    proof: str, recipe: Recipe, capture: Capture, labels: Collection[str], due_minor: int
) -> list[str]:
    match proof:
        case "scan":
            return [] if set(labels) <= set(capture.scanned_labels) else ["scan"]
        case "photo":
            return [
                f"photo:{slot}" for slot in recipe.photo_slots if slot not in capture.photo_slots
            ]
        case "tender":
            return ["tender"] if due_minor and not capture.tendered_minor else []
    brought = {
        "code": capture.has_code,
        "signature": capture.has_signature,
        "receiver": bool(capture.receiver_name.strip()),
        "place": capture.has_place,
    }
    return [] if brought[proof] else [proof]


def hold_reason(*, code_ok: bool | None, code_issued: bool) -> str | None:
    """Say why V4 must wait although the goods are handed over, or None (SPEC F, offline codes)."""
    if code_ok is not False:
        return None
    if not code_issued:
        return "A handover code was told although none had been issued for this attempt."
    return "The handover code was wrong, or guessed wrong too often."


def share_at_door(owed_minor: int, goods_minor: Mapping[UUID, int]) -> dict[UUID, int]:
    """Share what an order owes at the door among its parcels, given what each one's goods cost.

    Every parcel asks for its own goods, and the first one for the rest: more by what belongs to no
    goods, less by what was paid or credited meanwhile. The shares add up to what is owed.
    """
    if not goods_minor:
        return {}
    left = max(0, owed_minor)
    shares: dict[UUID, int] = {}
    first, *others = goods_minor
    for parcel in reversed(others):
        shares[parcel] = min(goods_minor[parcel], left)
        left -= shares[parcel]
    return {first: left} | shares


def tender_differs(due_minor: int, tendered_minor: int) -> bool:
    """Tell whether more or less money was taken than was due; a person must look at it."""
    return due_minor != tendered_minor


def completing_scan(scans: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Pick, of the first scan of every piece, the one that came last: it completes the shipment."""
    return max(scans, key=lambda scan: (scan["recorded_at"], scan["scan_uid"]))


def hash_strokes(strokes: Sequence[Sequence[Sequence[float]]]) -> str:
    """Hash a signature's pen strokes in the one form in which they are stored."""
    return hashlib.sha256(msgspec.json.encode(strokes)).hexdigest()


def detour_of_report(kind: str, *, picked_up: bool) -> str | None:
    """Name the detour that damaged or missing boxes mean for their parcel, or None.

    What is missing before its pickup is still in our own house: it is looked for, and no customer
    hears that a carrier has lost it.
    """
    if kind == "damaged":
        return "carrier_damaged"
    return "carrier_lost" if picked_up else None


CARGO_NEXT: Mapping[str, Literal["departure", "hub_in", "hub_out"]] = {
    "pickup": "departure",
    "departure": "hub_in",
    "hub_in": "hub_out",
    "hub_out": "hub_in",
}
"""Kind of the last scan of a box in a courier's hands → the scan that comes next on its way."""
