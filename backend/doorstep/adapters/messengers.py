"""Who carries which message: by channel, for SMS by the country of the number, else whoever takes all."""

from __future__ import annotations

from collections.abc import Mapping

import phonenumbers

from doorstep import ports
from doorstep.adapters.mail_reports import MailHook
from doorstep.adapters.msg91 import Msg91, Msg91Hook
from doorstep.adapters.sandbox_messenger import SandboxMessenger
from doorstep.adapters.smtp import Smtp
from doorstep.adapters.twilio import Twilio, TwilioHook
from doorstep.adapters.whatsapp import WhatsApp, WhatsAppHook
from doorstep.settings import settings

ELSEWHERE = "*"


class BadSmsProviders(ValueError):
    """SMS_PROVIDERS names a provider that is not configured, or is not written as IN:msg91,*:twilio."""


class Messengers:
    """Hands each message to the provider of its channel and country; a `ports.Messenger`."""

    def __init__(
        self,
        others: ports.Messenger,
        *,
        whatsapp: ports.Messenger | None = None,
        email: ports.Messenger | None = None,
        sms: Mapping[str, ports.Messenger] | None = None,
    ) -> None:
        """`sms` is by country (ISO 3166), with * for all others; `others` takes what is left."""
        self._others = others
        self._by_channel = {"whatsapp": whatsapp or others, "email": email or others}
        self._sms = dict(sms or {})

    @classmethod
    def configured(cls) -> Messengers:
        """Take the providers from the settings. Raises: BadSmsProviders, BadSmtpSettings."""
        return cls(
            SandboxMessenger.configured(),
            whatsapp=WhatsApp.configured(),
            email=Smtp.configured(),
            sms=_sms_by_country(),
        )

    def route(self, channel: str, to: str) -> ports.Route:
        """Tell who would carry a message there."""
        return self._for(channel, to).route(channel, to)

    async def send(self, letter: ports.Letter) -> str:
        """Hand a message over; see `ports.Messenger`."""
        return await self._for(letter.channel, letter.to).send(letter)

    def _for(self, channel: str, to: str) -> ports.Messenger:
        if channel != "sms":
            return self._by_channel.get(channel, self._others)
        return self._sms.get(country_of(to)) or self._sms.get(ELSEWHERE) or self._others


def country_of(number: str) -> str:
    """Tell which country a number like +971501234567 is of (ISO 3166); empty for one that is none."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.region_code_for_number(parsed) or ""


def _sms_by_country() -> dict[str, ports.Messenger]:
    known: dict[str, ports.Messenger] = {}
    if (msg91 := Msg91.configured()) is not None:
        known["msg91"] = msg91
    if (twilio := Twilio.configured()) is not None:
        known["twilio"] = twilio
    listed = settings().sms_providers
    if not listed:
        usual = {"IN": known.get("msg91"), ELSEWHERE: known.get("twilio")}
        return {country: one for country, one in usual.items() if one is not None}
    chosen = {}
    for pair in listed.split(","):
        country, _, name = pair.strip().partition(":")
        if not country or name not in known:
            raise BadSmsProviders(f"SMS_PROVIDERS: {pair.strip()!r} names no configured provider.")
        chosen[country.upper()] = known[name]
    return chosen


def configured_hooks() -> dict[str, ports.Hook[ports.MessageNews]]:
    """Make the readers of the providers' webhooks from the settings."""
    return {
        "whatsapp": WhatsAppHook.configured(),
        "twilio": TwilioHook.configured(),
        "msg91": Msg91Hook.configured(),
        "smtp": MailHook.configured(),
    }
