"""A whole company in this process: its doors, its people signed in, its reactions and its jobs.

What is outside (bank, messenger) is a double that keeps what it is told. Everything inside is real.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
from litestar import Litestar

from doorstep import worker
from doorstep.adapters.checkout import CheckoutHook
from doorstep.adapters.clickpost import ClickPostHook
from doorstep.adapters.razorpayx import RazorpayXHook
from doorstep.adapters.signatures import hex_hmac_sha256
from doorstep.app import create_app
from doorstep.core import blobs, db, health, limits
from doorstep.core import redis as core_redis
from doorstep.core.actor import Source
from doorstep.core.auth import people, sessions, sql
from doorstep.core.auth.device_keys import point_of
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.core.outbox import bell
from doorstep.flows.reactions import REACTIONS
from doorstep.modules.fsm import service as fsm
from doorstep.modules.tms import service as tms
from doorstep.play.phone_key import PhoneKey
from tests.factories import phone_keys
from tests.factories.care import Postbox, outside, reacting
from tests.factories.money import Bank, make_costs
from tests.factories.road import ALWAYS, a_checklist
from tests.factories.world import World, make_vendor, make_world
from tests.support.worker import run_due

CHECKOUT_KEY, CLICKPOST_KEY, CLICKPOST_PATH, BANK_KEY = "cko-key", "cp-key", "cp-path", "rzp-key"
FIELD = frozenset({"warehouse", "courier", "delivery", "technician"})


@dataclass(frozen=True)
class User:
    """Somebody who is signed in."""

    id: UUID
    role: str
    headers: dict[str, str]


@dataclass
class Company:
    """One channel with its people, stock and own fleet, and doors that answer in this process."""

    http: httpx.AsyncClient
    world: World
    bank: Bank
    post: Postbox
    users: dict[str, User] = field(default_factory=dict)

    async def send(self, who: str, path: str, body: Any) -> httpx.Response:
        """Send a body as somebody of this role, or as nobody (\"\")."""
        headers = self.users[who].headers if who else {}
        return await self.http.post(
            path,
            content=msgspec.json.encode(body),
            headers=headers | {"Content-Type": "application/json"},
        )

    async def get(self, who: str, path: str) -> Any:
        """Read as somebody of this role."""
        answer = await self.http.get(path, headers=self.users[who].headers if who else {})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def hook(self, source: str, body: bytes) -> httpx.Response:
        """Send a genuine webhook."""
        path, headers = {
            "checkout": ("/hooks/checkout", {"Cko-Signature": hex_hmac_sha256(CHECKOUT_KEY, body)}),
            "clickpost": (f"/hooks/clickpost/{CLICKPOST_PATH}", {"webhook_key": CLICKPOST_KEY}),
            "bank": ("/hooks/bank", {"X-Razorpay-Signature": hex_hmac_sha256(BANK_KEY, body)}),
        }[source]
        return await self.http.post(path, content=body, headers=headers)

    async def work(self) -> None:
        """Run every job that is due; one that fails is a finding."""
        bad = [(kind, how) for kind, how in await run_due() if how in ("failed", "dead")]
        assert not bad, (
            bad,
            await db.rows("SELECT kind, last_error FROM outbox WHERE last_error IS NOT NULL"),
        )

    async def join(self, role: str, *, source: Source | None = None, **given: Any) -> User:
        """Add somebody of this role with a session, without the work of hashing a password."""
        person_id = await people.create_person(role=role, name=f"Canary {role}", **given)
        source = source or ("phone" if role in FIELD else "person")
        return User(person_id, role, await session_of(person_id, source))

    async def at_a_screen(self, role: str) -> str:
        """Let the person of this role act from a screen beside the phone; return the user's name."""
        user = self.users[role]
        name = f"{role} at a screen"
        self.users[name] = User(user.id, role, await session_of(user.id, "person"))
        return name

    async def own_upload(self, person_id: UUID, sha256: str) -> None:
        """Let a picture be one that this person has handed in."""
        await db.execute(
            "INSERT INTO upload (id, sha256, person_id, length, received, started_at, verified_at)"
            " VALUES ($1, $2, $3, 1, 1, $4, $4)",
            uuid7(),
            sha256,
            person_id,
            now(),
        )

    def told(self, pattern: str, order_number: str) -> str:
        """Find a secret in what the customer of an order was told last."""
        for _, _, _, body in reversed(self.post.sent):
            if order_number in body and (
                found := re.search(pattern, body.replace(order_number, ""))
            ):
                return found[1]
        raise LookupError(f"{pattern} in {[body for *_, body in self.post.sent]}")


async def session_of(person_id: UUID, source: Source) -> dict[str, str]:
    """Open a session as a sign-in does, from a new phone or from a screen."""
    device_id, key = None, PhoneKey()
    if source == "phone":
        device_id = uuid7()
        point = point_of(key.public)
        await db.execute(sql.ENROL_DEVICE, device_id, person_id, "phone", "no PIN", point, now())
    opened = await sessions.open_session(person_id, source=source, device_id=device_id)
    headers = {"Authorization": f"Bearer {opened.access_token}"}
    phone_keys.remember(headers, key)
    return headers


@functools.cache
def the_app() -> Litestar:
    """Build the whole application, once per process."""
    return create_app()


@asynccontextmanager
async def open_company(folder: Path) -> AsyncIterator[Company]:
    """Open a company for a block, with every reaction, every job and the doubles bound."""
    app = the_app()
    worker.load_jobs()
    bank, post = Bank(), Postbox()
    limits.forget_outage()
    health.forget_last_check()
    await blobs.start(f"file://{folder}/blobs")
    doubles = {
        "bank": bank,
        "messenger": post,
        "checkout": CheckoutHook((CHECKOUT_KEY,)),
        "clickpost": ClickPostHook((CLICKPOST_KEY,), (CLICKPOST_PATH,)),
        "bank_hook": RazorpayXHook((BANK_KEY,)),
    }
    transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 50000))
    try:
        with reacting(REACTIONS), outside(**doubles):
            async with httpx.AsyncClient(
                transport=transport, base_url="http://doorstep.test"
            ) as http:
                company = Company(http, await make_world(units=20), bank, post)
                await _staff(company)
                yield company
    finally:
        await bell.rest()
        await core_redis.stop()
        await blobs.stop()


async def _staff(company: Company) -> None:
    world = company.world
    await make_costs(world)
    await tms.create_carrier("OWN", "Doorstep Fleet", services=[tms.Service(world.channel_id)])
    await tms.create_carrier("clickpost", "ClickPost carriers", "aggregator")
    await fsm.save_checklist(world.products["WM-7KG"], a_checklist())
    here = {"channel_ids": [world.channel_id]}
    for role in ("sales", "finance", "dispatcher", "support", "admin", "courier", "delivery"):
        company.users[role] = await company.join(role, **here)
    company.users["vendor"] = await company.join("vendor", vendor_id=world.vendor_id)
    company.users["warehouse"] = await company.join("warehouse", location_id=world.warehouse_id)
    company.users["technician"] = technician = await company.join("technician", **here)
    await fsm.create_technician(technician.id, world.channel_id, ["laundry"], ALWAYS)


async def upload(*hashes: str) -> None:
    """Let pictures lie on the server, decoded, as uploads and pictures leave them."""
    await db.execute_many(
        "INSERT INTO blob (sha256, size, mime) VALUES ($1, 1, 'image/jpeg') ON CONFLICT DO NOTHING",
        [(one,) for one in hashes],
    )
    await db.execute_many(
        "INSERT INTO picture (sha256, derivative, blob_sha256, width, height)"
        " VALUES ($1, 'large', $1, 1, 1) ON CONFLICT DO NOTHING",
        [(one,) for one in hashes],
    )


def picture() -> str:
    """Name a picture that nobody has taken before."""
    return hashlib.sha256(uuid4().bytes).hexdigest()


async def strangers(company: Company) -> dict[str, User]:
    """Add people of the same roles who work elsewhere: another channel, location, vendor."""
    elsewhere = {"channel_ids": [uuid7()]}
    others: Sequence[str] = (
        "sales", "finance", "dispatcher", "support", "admin", "courier", "delivery", "technician",
    )  # fmt: skip
    found = {role: await company.join(role, **elsewhere) for role in others}
    found["vendor"] = await company.join("vendor", vendor_id=await make_vendor("V-OTHER"))
    for role in ("warehouse", "store", "vendor_store"):
        found[role] = await company.join(role, source="phone", location_id=uuid7())
    return found
