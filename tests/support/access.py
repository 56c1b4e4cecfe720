"""People who are signed in, made the way the product makes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from doorstep.core.actor import ROLES
from doorstep.core.auth import service
from doorstep.core.auth.people import FIELD_ROLES
from doorstep.play.phone_key import PhoneKey

PASSWORD = "a long enough secret"
PIN = "482915"
SIGNED_IN_ROLES = [role for role in ROLES if role not in ("system", "customer")]
WITH_PLACE = ("warehouse", "store", "vendor_store")


@dataclass(frozen=True)
class Person:
    """Somebody with a session."""

    id: UUID
    role: str
    login: str
    tokens: service.Tokens
    key: PhoneKey | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What every request of theirs carries."""
        return {"Authorization": f"Bearer {self.tokens.access_token}"}


async def enter(role: str, **given: Any) -> Person:
    """Make a person of this role and sign them in: staff by password, others by a code."""
    if role in WITH_PLACE:
        given.setdefault("location_id", uuid4())
    if role == "vendor":
        given.setdefault("vendor_id", uuid4())
    if role in FIELD_ROLES:
        person_id = await service.create_person(role=role, name=f"A {role}", **given)
        code = await service.make_enrolment_code(person_id)
        key = PhoneKey()
        tokens = await service.enrol(code.code, label="phone", pin=PIN, key=key.public)
        return Person(person_id, role, "", tokens, key)
    login = f"{role}-{uuid4().hex[:8]}"
    person_id = await service.create_person(
        role=role, name=f"A {role}", login=login, password=PASSWORD, **given
    )
    return Person(person_id, role, login, await service.sign_in(login, PASSWORD))
