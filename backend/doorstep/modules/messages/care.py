"""What the confirmation of a delivery offers beside its thanks, as the channel's rule says (P17)."""

from __future__ import annotations

from importlib import resources

import msgspec


class _Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    feedback: str
    coupon: str
    review: str


_CARE = msgspec.json.decode(
    resources.files(__package__).joinpath("texts/care.json").read_bytes(), type=dict[str, _Words]
)


def care_words(language: str, *, feedback: bool, coupon: str, review_url: str) -> str:
    """Write what is offered, each part behind a space; an empty text where nothing is."""
    words = _CARE.get(language, _CARE["en"])
    parts = [
        words.feedback if feedback else "",
        words.coupon.format(coupon=coupon) if coupon else "",
        words.review.format(review=review_url) if review_url else "",
    ]
    return "".join(f" {part}" for part in parts if part)
