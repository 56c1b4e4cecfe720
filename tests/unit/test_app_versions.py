"""Which versions of the field app are too old: numbers decide, and doubt lets in."""

from __future__ import annotations

import pytest

from doorstep.core.app_versions import is_older


@pytest.mark.parametrize(
    ("version", "oldest", "older"),
    [
        ("1.2.3", "1.2.4", True),
        ("1.9.0", "1.10.0", True),
        ("1.10.0", "1.9.0", False),
        ("1.4", "1.4.0", False),
        ("1.4.0", "1.4", False),
        ("v1.3.9", "1.4.0", True),
        ("1.3.9-beta+7", "1.4.0", True),
        ("2.0.0", "1.4.0", False),
        ("1.4.0", "", False),
        ("", "1.4.0", False),
        (None, "1.4.0", False),
        ("nightly", "1.4.0", False),
        ("1.x", "1.4.0", False),
        ("1" * 30, "1.4.0", False),
        ("1.3", "soon", False),
    ],
)
def test_dotted_numbers_are_compared_as_numbers(
    version: str | None, oldest: str, older: bool
) -> None:
    assert is_older(version, oldest) is older
