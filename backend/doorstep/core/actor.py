"""Who acts: a person at a screen, a phone, a carrier, a webhook or a job of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

Source = Literal["person", "phone", "carrier", "webhook", "scan", "system"]

ROLES = (
    "system", "sales", "finance", "warehouse", "store", "courier", "delivery", "technician",
    "dispatcher", "support", "admin", "vendor", "vendor_store", "customer",
)  # fmt: skip
"""The roles of SPEC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The one on whose behalf a use-case runs, and from where.

    `channel_ids` empty means every channel. `location_id` and `vendor_id` narrow what the person
    may see. `source` decides whether a step that comes too early is kept (phone, carrier, webhook,
    scan, system) or refused (person).
    """

    role: str
    source: Source
    person_id: UUID | None = None
    name: str = ""
    device_id: UUID | None = None
    channel_ids: tuple[UUID, ...] = field(default=())
    location_id: UUID | None = None
    vendor_id: UUID | None = None
    order_id: UUID | None = None
    job: str = ""
    request_id: str = ""

    @classmethod
    def system(cls, job: str, *, source: Source = "system", request_id: str = "") -> Actor:
        """Act as Doorstep itself, named by the job or the carrier it speaks for."""
        return cls(role="system", source=source, name=job, job=job, request_id=request_id)

    def for_a_job(self) -> dict[str, Any]:
        """Name this person as the payload of a job does that goes on with the person's step."""
        return {
            "source": self.source,
            "role": self.role,
            "person_id": self.person_id,
            "device_id": self.device_id,
            "request_id": self.request_id,
        }

    @classmethod
    def of_a_job(cls, payload: Mapping[str, Any]) -> Actor:
        """Return the person whom `for_a_job` has named; what it may see is not part of that."""
        return cls(
            role=payload["role"],
            source=payload["source"],
            person_id=UUID(payload["person_id"]),
            device_id=UUID(payload["device_id"]) if payload["device_id"] else None,
            request_id=payload["request_id"],
        )

    @property
    def device(self) -> str:
        """Name the device for the audit trail: the phone's id, or `system:<job>` (IO4)."""
        if self.device_id is not None:
            return str(self.device_id)
        return f"system:{self.job}" if self.role == "system" else self.source
