"""Who works in the sample company. Staff passwords follow from the installation's secret key."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from doorstep.settings import settings

FIELD = ("warehouse", "courier", "delivery", "technician")
"""Enrol a phone with a one-time code."""

STAFF = ("sales", "finance", "dispatcher", "support", "admin")
"""Sign in with login and password, for every channel."""

CREWS = {"AE": 3, "QA": 2, "IN": 3, "KW": 2}
"""Technicians of each channel; one person each for the other field roles but delivery."""

VANS = {1: (2, 3), 2: (4, 5)}
"""Van of a channel → its crew, by their numbers; the first leads. Number 1 drives alone."""

DELIVERY = 1 + sum(map(len, VANS.values()))
"""Delivery executives of each channel."""


NAMES = {
    "AE": "Rahul Menon, Imran Sheikh, Joseph Mathew, Bilal Ahmed, Suresh Pillai, Arif Hossain,"
    " Dinesh Thapa, Faisal Qureshi, Anil Varghese, Noel Santos",
    "QA": "Shaji Kurian, Kamal Uddin, Biju Nambiar, Tariq Mehmood, Ramesh Gurung, Jomon Paul,"
    " Naseer Baig, Sunil Perera, Edwin Reyes",
    "IN": "Vikram Yadav, Deepak Sharma, Manoj Patil, Ravi Teja, Salim Ansari, Prakash Naik,"
    " Gopal Das, Meera Joshi, Harish Reddy, Sanjay Solanki",
    "KW": "Ashraf Ali, Thomas George, Majid Rahman, Vinod Nair, Yousef Haddad, Babu Rajan,"
    " Iqbal Hussain, Santosh Rai, Rommel Cruz",
}
"""Field workers of each channel, in the order of `FIELD`: customers read who comes by the first name."""


class SampleUser(NamedTuple):
    """A person of the sample data; `login` is None for those who enrol a phone."""

    person_id: UUID
    role: str
    name: str
    login: str | None
    channel: str | None


def _id(key: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"doorstep-sample:{key}")


def sample_users() -> list[SampleUser]:
    """List everybody: staff, then each channel's vendor and field workers."""
    users = [
        SampleUser(_id(role), role, f"{role.title()} desk", f"{role}@demo.doorstep.test", None)
        for role in STAFF
    ]
    for channel, technicians in CREWS.items():
        names = iter(NAMES[channel].split(", "))
        vendor = f"vendor-{channel.lower()}"
        users.append(
            SampleUser(
                _id(vendor),
                "vendor",
                f"Vendor desk {channel}",
                f"{vendor}@demo.doorstep.test",
                channel,
            )
        )
        for role in FIELD:
            count = {"technician": technicians, "delivery": DELIVERY}.get(role, 1)
            users.extend(
                SampleUser(
                    _id(f"{role}-{channel}-{n}"),
                    role,
                    next(names),
                    None,
                    channel,
                )
                for n in range(1, count + 1)
            )
    return users


def crew_of(channel: str, van: int) -> tuple[UUID, list[UUID]]:
    """Tell a sample crew's id and its people, the lead first."""
    people = [_id(f"delivery-{channel}-{n}") for n in VANS[van]]
    return _id(f"crew-{channel}-{van}"), people


def password_of(login: str) -> str:
    """Derive a sample login's password: the same on every start, another one in each installation."""
    key = settings().secret_key.encode()
    digest = hmac.new(key, f"sample-password:{login}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest)[:24].decode()
