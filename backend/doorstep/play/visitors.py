"""People with a session: staff by password, field workers by enrolment code, device and PIN."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, TypeVar
from uuid import UUID

import httpx
import msgspec

from doorstep.core.ids import uuid7
from doorstep.play.calendar import Calendar
from doorstep.play.phone_key import PhoneKey
from doorstep.seed import SampleUser, password_of, sample_users

T = TypeVar("T")

PIN = "246810"
CHUNK = 32 * 1024
BUSY = (429, 502, 503, 504)
TRIES = 60
ENROLMENTS = 5


class StepFailed(AssertionError):
    """A request was not answered as the play needs it; says which and with what."""


class Visitor:
    """One signed-in person. A lost connection or a busy server is tried again, as a phone does."""

    def __init__(self, http: httpx.AsyncClient, user: SampleUser) -> None:
        self._http = http
        self._tokens: dict[str, Any] = {}
        self._signing = asyncio.Lock()
        self._key = PhoneKey()
        self.user = user

    async def sign_in(self, code: str | None = None) -> None:
        """Get a session: with the login's password, or by enrolling a device with the code."""
        if self.user.login:
            body: dict[str, Any] = {
                "login": self.user.login,
                "password": password_of(self.user.login),
            }
            self._tokens = await self._post_open("/api/sign-in", body)
        else:
            body = {
                "code": code,
                "device_label": f"{self.user.name}'s phone",
                "pin": PIN,
                "public_key": msgspec.to_builtins(self._key.public),
            }
            self._tokens = await self._post_open("/api/enrol", body)

    async def _renew(self, spent: str) -> None:
        async with self._signing:
            if self._tokens["access_token"] != spent:
                return
            body = {"refresh_token": self._tokens["refresh_token"]}
            self._tokens = await self._post_open("/api/session/refresh", body)

    async def _post_open(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = await patiently(lambda: self._http.post(path, json=body))
        given: dict[str, Any] = _content(answer)
        return given

    async def get(self, path: str, **params: Any) -> Any:
        """Read a resource."""
        return _content(await self._send("GET", path, params=params))

    async def post(self, path: str, body: dict[str, Any], **headers: str) -> dict[str, Any]:
        """Send a step; a repeat after a lost answer carries the same event_id."""
        answer: dict[str, Any] = _content(
            await self._send("POST", path, json=body, headers=headers)
        )
        return answer

    async def post_quietly(self, path: str, body: dict[str, Any], **headers: str) -> None:
        """Send a step that is answered with nothing."""
        answer = await self._send("POST", path, json=body, headers=headers)
        if not answer.is_success:
            _content(answer)

    async def try_post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """Send a step and take whatever answer comes."""
        return await self._send("POST", path, json=body)

    async def ensure(self, path: str, body: dict[str, Any], done_already: str) -> None:
        """Send a desk's step that carries no id; the refusal `done_already` means it is done.

        That is what the repeat is told when the answer to the first request was lost.
        """
        answer = await self.try_post(path, body)
        if not (answer.is_success or done_already in answer.text):
            _content(answer)

    async def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        headers = request.pop("headers", {})
        token = self._tokens["access_token"]
        answer = await patiently(
            lambda: self._http.request(
                method, path, headers={"Authorization": f"Bearer {token}", **headers}, **request
            )
        )
        if answer.status_code != httpx.codes.UNAUTHORIZED:
            return answer
        await self._renew(token)
        fresh = f"Bearer {self._tokens['access_token']}"
        return await patiently(
            lambda: self._http.request(
                method, path, headers={"Authorization": fresh, **headers}, **request
            )
        )

    async def upload(self, content: bytes) -> str:
        """Hand in a picture chunk by chunk, going on where the server is; return its hash."""
        sha256 = hashlib.sha256(content).hexdigest()
        path, offset = f"/uploads/{sha256}", 0
        while True:
            answer = await self._send(
                "PATCH",
                path,
                content=content[offset : offset + CHUNK],
                headers={
                    "Upload-Offset": str(offset),
                    "Upload-Length": str(len(content)),
                    "Content-Type": "application/offset+octet-stream",
                },
            )
            if answer.headers.get("Upload-Complete") == "?1":
                return sha256
            if answer.status_code not in (200, 202, 204, 409):
                raise StepFailed(f"PATCH {path}: {answer.status_code} {answer.text[:300]}")
            offset = int(answer.headers["Upload-Offset"])


async def patiently(send: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """Send until the server answers: it may be restarting.

    Raises: StepFailed after a minute without an answer.
    """
    last: object = None
    for attempt in range(TRIES):
        try:
            answer = await send()
        except httpx.TransportError as lost:
            last = repr(lost)
        else:
            in_flight = (
                answer.status_code == httpx.codes.CONFLICT and "Retry-After" in answer.headers
            )
            if answer.status_code not in BUSY and not in_flight:
                return answer
            last = f"{answer.status_code} {answer.text[:200]}"
        await asyncio.sleep(min(2.0, 0.1 * 1.5**attempt))
    raise StepFailed(f"no answer: {last}")


def _content(answer: httpx.Response) -> Any:
    if answer.is_success:
        return answer.json()
    raise StepFailed(
        f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:500]}"
    )


async def until(
    ask: Callable[[], Awaitable[T | None]], what: str, *, seconds: float = 60.0, pause: float = 0.15
) -> T:
    """Ask again and again until there is an answer; patient visitors wait longer than `seconds`.

    Raises: StepFailed when it does not come in time.
    """
    seconds *= _patience.get()
    end = asyncio.get_running_loop().time() + seconds
    while True:
        found = await ask()
        if found is not None:
            return found
        if asyncio.get_running_loop().time() > end:
            raise StepFailed(f"waited {seconds:.0f} s for {what}")
        await asyncio.sleep(pause)


_patience: ContextVar[float] = ContextVar("patience", default=1.0)
"""How many times longer than usual the people of this play wait."""


class Company:
    """Everybody of the sample company, signed in when first needed."""

    def __init__(
        self, http: httpx.AsyncClient, sandbox: httpx.AsyncClient, calendar: Calendar
    ) -> None:
        self.http = http
        self.calendar = calendar
        self._sandbox = sandbox
        self._visitors: dict[UUID, Visitor] = {}
        self._opening = asyncio.Lock()
        self._by_id = {user.person_id: user for user in sample_users()}

    async def outside(self, method: str, path: str, **request: Any) -> Any:
        """Ask the outside world (shop, gateway, phones) until it answers; say nothing twice that counts."""
        return _content(await patiently(lambda: self._sandbox.request(method, path, **request)))

    async def staff(self, role: str) -> Visitor:
        """Give a desk's person."""
        return await self.person(self.find(role))

    async def of(self, role: str, channel: str) -> Visitor:
        """Give the channel's person of a role (its first technician)."""
        return await self.person(self.find(role, channel))

    def find(self, role: str, channel: str | None = None) -> SampleUser:
        """Look up a sample person."""
        return next(
            user for user in self._by_id.values() if (user.role, user.channel) == (role, channel)
        )

    def users(self, role: str, channel: str) -> list[SampleUser]:
        """List the channel's people of a role."""
        return [u for u in self._by_id.values() if (u.role, u.channel) == (role, channel)]

    async def person(self, user: SampleUser) -> Visitor:
        """Sign somebody in, once."""
        async with self._opening:
            if user.person_id not in self._visitors:
                visitor = Visitor(self.http, user)
                await self._begin(visitor)
                self._visitors[user.person_id] = visitor
            return self._visitors[user.person_id]

    async def _begin(self, visitor: Visitor) -> None:
        user = visitor.user
        if user.login:
            await visitor.sign_in()
            return
        for attempt in range(1, ENROLMENTS + 1):
            try:
                return await visitor.sign_in(await self.enrolment_code(user))
            except StepFailed:
                # A code works once. When the answer was lost, the office makes another one.
                if attempt == ENROLMENTS:
                    raise

    async def enrolment_code(self, user: SampleUser) -> str:
        """Have the office make a code for a field worker's phone."""
        admin = self.find("admin")
        if admin.person_id not in self._visitors:
            self._visitors[admin.person_id] = Visitor(self.http, admin)
            await self._visitors[admin.person_id].sign_in()
        made = await self._visitors[admin.person_id].post(
            f"/api/people/{user.person_id}/enrolment-codes", {}
        )
        code: str = made["code"]
        return code


@asynccontextmanager
async def visit(
    base_url: str, sandbox_url: str, *, calendar: Calendar | None = None, patience: float = 1.0
) -> AsyncIterator[Company]:
    """Open the two HTTP clients of a play; `patience` makes its people wait so many times longer."""
    _patience.set(patience)
    limits = httpx.Limits(max_connections=40)
    async with (
        httpx.AsyncClient(base_url=base_url, timeout=15, limits=limits) as http,
        httpx.AsyncClient(base_url=sandbox_url, timeout=15, limits=limits) as sandbox,
    ):
        yield Company(http, sandbox, calendar or Calendar(at_once=1))


def new_event() -> str:
    """Make the id of a step as a device does."""
    return str(uuid7())


def only(found: Iterable[T]) -> T:
    """Take the one that is expected to be there.

    Raises: StepFailed when there is another number of them.
    """
    everything = list(found)
    if len(everything) != 1:
        raise StepFailed(f"one was expected: {everything}")
    return everything[0]
