"""A link opens one object, for one viewer, for five minutes at most (IA6)."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from doorstep.core import signed_urls

SHA = "ab" * 32
PATH = f"/pictures/{SHA}/large"


def opened(link: str, *, path: str | None = None, **changed: str) -> bool:
    parts = urlsplit(link)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()} | changed
    return signed_urls.verify(
        path or parts.path,
        viewer=query["viewer"],
        expires=int(query["exp"]),
        signature=query["sig"],
    )


def test_a_fresh_link_opens() -> None:
    assert opened(signed_urls.sign(PATH, viewer="somebody"))


def test_a_link_opens_nothing_but_its_object_derivative_and_viewer() -> None:
    link = signed_urls.sign(PATH, viewer="somebody")

    assert not opened(link, path=f"/pictures/{SHA}/thumbnail")
    assert not opened(link, path=f"/pictures/{'cd' * 32}/large")
    assert not opened(link, viewer="another")
    assert not opened(link, sig="0" * 64)
    assert not opened(link, sig="ä")


def test_a_link_ends_after_five_minutes_whatever_was_asked_for(clock: object) -> None:
    link = signed_urls.sign(PATH, viewer="somebody", seconds=86_400)

    clock.advance(timedelta(seconds=295))  # type: ignore[attr-defined]
    assert opened(link)
    clock.advance(timedelta(seconds=10))  # type: ignore[attr-defined]
    assert not opened(link)


def test_a_moved_end_is_noticed() -> None:
    link = signed_urls.sign(PATH, viewer="somebody")
    end = int(parse_qs(urlsplit(link).query)["exp"][0])

    assert not opened(link, exp=str(end + 60))


def test_another_secret_makes_other_signatures(monkeypatch: pytest.MonkeyPatch) -> None:
    link = signed_urls.sign(PATH, viewer="somebody")
    other = type("Other", (), {"secret_key": "another-secret" * 4})()
    monkeypatch.setattr(signed_urls, "settings", lambda: other)

    assert not opened(link)
