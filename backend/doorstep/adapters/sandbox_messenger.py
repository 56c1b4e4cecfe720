"""The sandbox's messaging: one plain POST per message, for channels that have no provider of their own."""

from __future__ import annotations

import msgspec

from doorstep.adapters.client import THRICE_KEYED, Call, Outgoing
from doorstep.ports import Letter, OutsideRefused, Route
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

    def route(self, channel: str, to: str) -> Route:
        """Take everything; a repeat is recognised by its id."""
        return Route("sandbox", keyed=True)

    async def send(self, letter: Letter) -> str:
        """Hand the message over once per its id (`Idempotency-Key`).

        Raises: OutsideUnavailable, OutsideRefused.
        """
        answer = await self._out.expect(
            Call(
                purpose=f"send_{letter.channel}",
                method="POST",
                url=f"{self._out.base_url}/messages",
                headers={**self._headers, "Idempotency-Key": letter.id},
                body=msgspec.json.encode(
                    {
                        "channel": letter.channel,
                        "to": letter.to,
                        "subject": letter.subject,
                        "body": letter.body,
                        "language": letter.language,
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
