"""What an address lacks, in words: to the customer in his language, to a desk in English (P2)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

import msgspec


class _Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    comma: str
    parts: dict[str, str]


_ADDRESS = msgspec.json.decode(
    resources.files(__package__).joinpath("texts/address_parts.json").read_bytes(),
    type=dict[str, _Words],
)


def address_words(language: str, parts: Sequence[str]) -> str:
    """List parts of an address in words, as they come."""
    words = _ADDRESS.get(language, _ADDRESS["en"])
    return words.comma.join(words.parts[part] for part in parts)
