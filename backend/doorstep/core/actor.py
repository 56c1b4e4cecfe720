"""Who acts: a person at a screen, a phone, a carrier, a webhook or a job of ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
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

    @property
    def device(self) -> str:
        """Name the device for the audit trail: the phone's id, or `system:<job>` (IO4)."""
        if self.device_id is not None:
            return str(self.device_id)
        return f"system:{self.job}" if self.role == "system" else self.source
