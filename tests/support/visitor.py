"""Somebody with a browser at the customer's page: its cookies, its forms, nothing that it cannot see."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from typing import Any

import httpx

from tests.factories.company import the_app

BASE = "https://doorstep.test"
"""Cookies of this page are for secure addresses only."""

OWN_PAGE = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}
"""What a browser says of a form on a page with `no-referrer`."""

HERE = ("127.0.0.1", 50000)


class Form:
    """A form as it stands on the page: where it goes, and what it sends if nothing is typed."""

    def __init__(self, action: str) -> None:
        self.action = action
        self.fields: dict[str, str] = {}
        self.in_parts = False

    def body(self, **typed: Any) -> dict[str, Any]:
        """Give httpx what a browser would send of it."""
        said = self.fields | typed
        return in_parts(said) if self.in_parts else {"data": said}


def in_parts(said: dict[str, Any]) -> dict[str, Any]:
    """Give httpx what a form with a place for files sends, each field a part of its own."""
    return {"files": [(name, (None, str(value))) for name, value in said.items()]}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: dict[str, Form] = {}
        self.words: list[str] = []
        self._form: Form | None = None
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._unseen += tag in ("style", "script")
        if tag == "form":
            assert given["method"] == "post"
            self._form = self.forms[given["id"]] = Form(given["action"])
            self._form.in_parts = given.get("enctype") == "multipart/form-data"
        elif tag == "input" and given.get("type") == "hidden" and self._form:
            self._form.fields[given["name"]] = given["value"]

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in ("style", "script")
        if tag == "form":
            self._form = None

    def handle_data(self, data: str) -> None:
        if not self._unseen and data.strip():
            self.words.append(data.strip())


def forms_of(page: str) -> dict[str, Form]:
    """Find the forms of a page by their ids."""
    reader = _Reader()
    reader.feed(page)
    return reader.forms


def words_of(page: str) -> str:
    """Read a page as it is read: its words in their order."""
    reader = _Reader()
    reader.feed(page)
    return re.sub(r"\s+", " ", " ".join(reader.words))


class Visitor:
    """A browser."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def open(self, token: str, **params: str) -> str:
        """Open a link as a browser does; return the address of the order's page."""
        sent_on = await self.http.get(f"/t/{token}", params=params)
        assert sent_on.status_code == 303, sent_on.text
        address = sent_on.headers["location"]
        assert token not in address
        return str(address)

    async def read(self, address: str, **params: str) -> str:
        """Read a page that must be there."""
        answer = await self.http.get(address, params=params)
        assert answer.status_code == 200, (answer.status_code, words_of(answer.text))
        return answer.text

    async def send(self, form: Form, **typed: Any) -> httpx.Response:
        """Send a form of the page."""
        return await self.http.post(form.action, headers=OWN_PAGE, **form.body(**typed))

    async def do(self, form: Form, **typed: Any) -> str:
        """Send a form that must be taken, and read the page that follows."""
        answer = await self.send(form, **typed)
        assert answer.status_code == 303, (answer.status_code, words_of(answer.text))
        return await self.read(answer.headers["location"])


def client_of(app: Any = None, *, client: tuple[str, int] = HERE) -> httpx.AsyncClient:
    """Make what a browser at an address of its own asks by; within this process it holds no line."""
    transport = httpx.ASGITransport(app=app or the_app(), client=client)
    return httpx.AsyncClient(transport=transport, base_url=BASE)


@asynccontextmanager
async def browser(app: Any = None, *, client: tuple[str, int] = HERE) -> AsyncIterator[Visitor]:
    """Open a browser without any cookie at an address of its own."""
    async with client_of(app, client=client) as http:
        yield Visitor(http)
