"""Which versions of the field app may sync: dotted numbers, the oldest named by the settings."""

from __future__ import annotations

import re

from doorstep.core.errors import Refusal
from doorstep.settings import settings

_DOTTED = re.compile(r"v?(\d{1,9}(?:\.\d{1,9}){0,3})(?:[-+].*)?", re.DOTALL)


class AppTooOld(Refusal):
    """The field app must be updated before it syncs; what it holds stays on it until then."""

    status = 426
    title = "This version of the app is too old. Please update it; nothing is lost."

    def __init__(self, version: str, oldest: str) -> None:
        # RFC 9110 asks for the header; browsers do nothing with it.
        super().__init__(
            headers={"Upgrade": f"doorstep-field/{oldest}"}, have=version, wanted=oldest
        )


def is_older(version: str | None, oldest: str) -> bool:
    """Tell whether a version is older than another; one that cannot be read is not."""
    have, wanted = _numbers(version), _numbers(oldest)
    return have is not None and wanted is not None and have < wanted


def require_current(version: str | None) -> None:
    """Let a version sync unless it is known to be too old.

    Raises: AppTooOld.
    """
    oldest = settings().field_app_oldest
    if version is not None and is_older(version, oldest):
        raise AppTooOld(version, oldest)


def _numbers(version: str | None) -> tuple[int, ...] | None:
    found = _DOTTED.fullmatch(version.strip()) if version else None
    if found is None:
        return None
    numbers = [int(one) for one in found[1].split(".")]
    return tuple(numbers + [0] * (4 - len(numbers)))
