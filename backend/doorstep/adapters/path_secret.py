"""Webhooks of senders who sign nothing: a secret in our path must be right."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping

from doorstep.adapters.signatures import any_equals
from doorstep.ports import MessageNews


class PathSecretHook(ABC):
    """What those have in common: known by the path, told apart by their bytes; a kind of its own reads."""

    def __init__(self, path_secrets: tuple[str, ...]) -> None:
        self._secrets = path_secrets

    def genuine(self, body: bytes, headers: Mapping[str, str], path_secret: str = "") -> bool:
        """Check the secret part of the path."""
        return any_equals(self._secrets, path_secret)

    def source_id(self, body: bytes, headers: Mapping[str, str]) -> str:
        """Name the call by its bytes: it may hold many reports. Raises: EventUnreadable."""
        self.read(body)
        return hashlib.sha256(body).hexdigest()

    @abstractmethod
    def read(self, body: bytes) -> MessageNews:
        """Understand the call. Raises: EventUnreadable."""
