"""The sandbox's messaging: one plain POST per message. WhatsApp, SMS and e-mail come beside it."""

from __future__ import annotations

import msgspec

from doorstep.adapters.client import THRICE_KEYED, Call, Outgoing
from doorstep.ports import OutsideRefused
from doorstep.settings import settings


class _Taken(msgspec.Struct):
    id: str


class SandboxMessenger:
    """Hands every message to the sandbox, whatever its channel; a `ports.Messenger`."""

    def __init__(self, base_url: str, key: str, *, total_seconds: float = 10) -> None:
        self._out = Outgoing("messaging", base_url, total_seconds=total_seconds)
        self._headers = {"Authorization": f"Bearer {key}"}

    @classmethod
    def configured(cls) -> SandboxMessenger:
        """Take address and key from the settings."""
        return cls(settings().messaging_url, settings().messaging_key)

    async def send(
        self,
        message_id: str,
        channel: str,
        to: str,
        subject: str,
        body: str,
        language: str,
    ) -> str:
        """Hand the message over once per `message_id` (`Idempotency-Key`).

        Raises: OutsideUnavailable, OutsideRefused.
        """
        answer = await self._out.expect(
            Call(
                purpose=f"send_{channel}",
                method="POST",
                url=f"{self._out.base_url}/messages",
                headers={**self._headers, "Idempotency-Key": message_id},
                body=msgspec.json.encode(
                    {
                        "channel": channel,
                        "to": to,
                        "subject": subject,
                        "body": body,
                        "language": language,
                    }
                ),
                retry=THRICE_KEYED,
                # A message may carry a handover code or a link, and always speaks to a person.
                hide=frozenset({"subject", "body"}),
            )
        )
        try:
            return msgspec.json.decode(answer.body, type=_Taken).id
        except msgspec.DecodeError as broken:
            raise OutsideRefused(
                "messaging answered without an id.", system="messaging", http_status=answer.status
            ) from broken
