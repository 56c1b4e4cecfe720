"""Is a proof of delivery one? What was measured in its pictures, weighed by one table (SPEC A9).

A proof is never lost by this: `failed` keeps V4 until a person or a better proof says otherwise,
`look` only asks a person. What holds money is what hardly errs: the other thresholds only ask.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal, NamedTuple
from uuid import UUID

CheckVerdict = Literal["passed", "look", "failed"]


class Threshold(NamedTuple):
    """A number that proofs are judged by, and where it comes from."""

    value: float
    source: str


DEFAULT_THRESHOLDS: Mapping[str, Threshold] = {
    "sharpness_min": Threshold(
        0.3,
        "tests/unit/test_picture_measure.py: 32 drawn doors; below 1.5 for documents"
        " (intelligence.md §9), which show edges everywhere.",
    ),
    "mean_min": Threshold(40, "intelligence.md §9: a guess, tested at one level of darkness."),
    "p95_min": Threshold(60, "intelligence.md §9: a guess, tested at one level of darkness."),
    "copy_bits_failed": Threshold(
        6, "tests/unit/test_picture_measure.py: no re-encoding of 80 drawn doors changes more."
    ),
    "copy_bits_look": Threshold(
        14, "The index finds 15 of 256 bits; intelligence.md §9 flags 24 at .056 % false pairs."
    ),
    "place_m": Threshold(150, "intelligence.md §9: 150 m, or twice the accuracy."),
    "accuracy_m": Threshold(500, "Our choice: a coarser place says nothing about a door."),
    "signature_px": Threshold(150, "intelligence.md §9: a path of 150 px, or two strokes."),
}
"""What holds where a channel has no threshold of its own (`pod_threshold`)."""


class OwnThreshold(NamedTuple):
    """A threshold of the installation, and for which stops it was written."""

    name: str
    value: float
    channel_id: UUID | None = None
    handed_to: str | None = None


def choose_thresholds(
    own: Iterable[OwnThreshold], *, channel_id: UUID, handed_to: str
) -> dict[str, float]:
    """Pick each threshold as closely as one was written for this stop: channel before receiver."""
    chosen = {name: default.value for name, default in DEFAULT_THRESHOLDS.items()}
    fitting = [
        one
        for one in own
        if one.channel_id in (None, channel_id) and one.handed_to in (None, handed_to)
    ]
    fitting.sort(key=lambda one: (one.channel_id is not None, one.handed_to is not None))
    return chosen | {one.name: one.value for one in fitting if one.name in chosen}


class Copy(NamedTuple):
    """An earlier proof of another parcel with a picture like this one, `bits` of 256 apart."""

    exact: bool
    bits: int
    same_order: bool


class SeenPhoto(NamedTuple):
    """What was measured in a picture, and whose barcodes are in it.

    `shows_own`: a label, AWB or serial of this parcel; `shows_other`: a label or AWB of another.
    """

    slot: str
    sharpness: float
    mean: float
    p95: int
    shows_own: bool = False
    shows_other: bool = False
    shows_other_serial: bool = False
    copies: Sequence[Copy] = ()


class SeenPlace(NamedTuple):
    """How far from the address's pin the proof was captured, as exactly as the phone knew."""

    metres: float
    accuracy_m: float


class SeenProof(NamedTuple):
    """Everything that speaks for or against a proof; None where nothing is known."""

    photos: Sequence[SeenPhoto]
    place: SeenPlace | None = None
    code_reason: str | None = None
    signature: Sequence[Sequence[Sequence[float]]] | None = None


FindingCode = Literal[
    "wrong_code", "other_label", "used_before", "dark", "blurred", "other_serial", "resembles",
    "place_unsure", "far_away", "signature_dot",
]  # fmt: skip

WORDS: Mapping[FindingCode, str] = {
    "other_label": "The photo '{slot}' shows the label of another parcel.",
    "used_before": "The photo '{slot}' was handed in before for another order.",
    "dark": "The photo '{slot}' is too dark.",
    "blurred": "The photo '{slot}' is blurred.",
    "other_serial": "The photo '{slot}' shows the serial number of another parcel's unit.",
    "resembles": "The photo '{slot}' looks like one of another parcel.",
    "place_unsure": "The place is known to {metres} m only.",
    "far_away": "It was captured {metres} m from the address.",
    "signature_dot": "The signature is hardly more than a dot.",
}


class Finding(NamedTuple):
    """A reason by its name, of a picture or a distance where it is about one."""

    code: FindingCode
    slot: str | None = None
    metres: int | None = None

    @property
    def words(self) -> str:
        """Say it to a desk; of a wrong code its own reason tells more."""
        return WORDS[self.code].format(slot=self.slot, metres=self.metres)


class Checked(NamedTuple):
    """The verdict, its reasons in words, why V4 waits for them (beside the handover code), and the
    reasons once more by name."""

    verdict: CheckVerdict
    reasons: tuple[str, ...]
    hold: str | None
    findings: tuple[Finding, ...] = ()


def check_proof(seen: SeenProof, limits: Mapping[str, float]) -> Checked:
    """Weigh a proof. One reason to fail fails it; without any reason it passes."""
    failed = [found for photo in seen.photos for found in _failing(photo, limits)]
    looks = [found for photo in seen.photos for found in _doubtful(photo, limits)]
    looks += _displaced(seen.place, limits)
    if seen.signature is not None and _scribbled(seen.signature, limits):
        looks.append(Finding("signature_dot"))
    hold = " ".join(one.words for one in failed) or None
    reasons = [one.words for one in (*failed, *looks)]
    if seen.code_reason is not None:
        failed.insert(0, Finding("wrong_code"))
        reasons.insert(0, seen.code_reason)
    verdict: CheckVerdict = "failed" if failed else "look" if looks else "passed"
    return Checked(verdict, tuple(reasons), hold, (*failed, *looks))


def _failing(photo: SeenPhoto, limits: Mapping[str, float]) -> list[Finding]:
    found = []
    if photo.shows_other and not photo.shows_own:
        found.append(Finding("other_label", photo.slot))
    if not photo.shows_own and any(
        not copy.same_order and copy.bits <= limits["copy_bits_failed"] for copy in photo.copies
    ):
        found.append(Finding("used_before", photo.slot))
    return found


def _doubtful(photo: SeenPhoto, limits: Mapping[str, float]) -> list[Finding]:
    found = []
    if photo.mean < limits["mean_min"] or photo.p95 < limits["p95_min"]:
        found.append(Finding("dark", photo.slot))
    elif photo.sharpness < limits["sharpness_min"] and not photo.shows_own:
        # A blur in which a scanner still reads the label shows enough.
        found.append(Finding("blurred", photo.slot))
    if photo.shows_other_serial and not photo.shows_own:
        found.append(Finding("other_serial", photo.slot))
    if any(_resembles(copy, photo, limits) for copy in photo.copies):
        found.append(Finding("resembles", photo.slot))
    return found


def _resembles(copy: Copy, photo: SeenPhoto, limits: Mapping[str, float]) -> bool:
    """Tell whether a copy is worth a look that fails nothing.

    The same door photographed again for the next parcel of the same order is the ordinary case, and
    so is any door with this parcel's own label in the picture; the very same file is neither.
    """
    if copy.exact:
        return copy.same_order or photo.shows_own
    if copy.same_order or photo.shows_own:
        return False
    return limits["copy_bits_failed"] < copy.bits <= limits["copy_bits_look"]


def _displaced(place: SeenPlace | None, limits: Mapping[str, float]) -> list[Finding]:
    if place is None:
        return []
    if place.accuracy_m > limits["accuracy_m"]:
        return [Finding("place_unsure", metres=round(place.accuracy_m))]
    if place.metres > max(limits["place_m"], 2 * place.accuracy_m):
        return [Finding("far_away", metres=round(place.metres))]
    return []


def _scribbled(strokes: Sequence[Sequence[Sequence[float]]], limits: Mapping[str, float]) -> bool:
    drawn = sum(
        math.hypot(b[0] - a[0], b[1] - a[1]) for stroke in strokes for a, b in pairwise(stroke)
    )
    return len(strokes) < 2 and drawn < limits["signature_px"]


def sort_codes(
    codes: Iterable[str], known: Iterable[Mapping[str, Any]], fulfilment_id: UUID
) -> tuple[bool, bool, bool]:
    """Tell whose barcodes were read: (this parcel's, another's label, another's serial).

    `known` are rows (code, kind `label` or `serial`, fulfilment_id) of what codes belong to. A code
    that belongs to nobody says nothing: goods carry many.
    """
    seen = set(codes)
    found = [row for row in known if row["code"] in seen]
    others = [row for row in found if row["fulfilment_id"] != fulfilment_id]
    return (
        len(others) < len(found),
        any(row["kind"] == "label" for row in others),
        any(row["kind"] == "serial" for row in others),
    )
