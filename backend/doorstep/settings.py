"""Settings: typed, read once from the environment; names and defaults are all here."""

from __future__ import annotations

import os
from functools import cache
from urllib.parse import urlsplit

import msgspec

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every variable that an installation may set; `DATABASE_URL` sets `database_url`, and so on."""

    database_url: str = ""
    redis_url: str = ""
    blob_url: str = ""
    """A folder as file:///path, or s3://, gs://, az:// (obstore)."""
    secret_key: str = ""
    """Signs picture links and salts the journey's hashes; at least 32 characters."""
    public_url: str = "http://127.0.0.1:8000"
    cookie_secure: bool = True
    db_pool_size: int = 5
    db_command_timeout: float = 10.0
    redis_timeout: float = 0.2
    log_json: bool = True
    log_level: str = "INFO"
    metrics_token: str = ""
    """Bearer token for GET /metrics; empty means loopback only."""
    allowed_origins: str = ""
    """Further http(s) origins, comma-separated, that outgoing calls may reach (demo: the sandbox)."""
    trusted_proxies: str = ""
    shop_url: str = ""
    shop_token: str = ""
    shop_oauth: str = ""
    """consumer key:consumer secret:access token:token secret; signs instead of `shop_token`."""
    shop_store: str = "all"
    """The store code in the shop's REST path; `all` sees every store."""
    shop_channel: str = "AE"
    shop_stores: str = ""
    """Which store id is which channel, as 1:AE,2:QA; empty means that all are `shop_channel`."""
    shop_poll_seconds: int = 15
    checkout_signing_keys: str = ""
    """Checkout.com webhook keys, comma-separated: two while rotating."""
    checkout_url: str = ""
    """Checkout.com's API, for payment links of the door."""
    checkout_secret_key: str = ""
    clickpost_webhook_keys: str = ""
    clickpost_path_secrets: str = ""
    """The secret part of /hooks/clickpost/…, since ClickPost does not sign; comma-separated."""
    bank_url: str = ""
    bank_key: str = ""
    """RazorpayX key_id:key_secret."""
    bank_account: str = ""
    """The account that pays the vendors."""
    bank_webhook_keys: str = ""
    messaging_url: str = ""
    """Who takes the messages of every channel that has no provider of its own below (the sandbox)."""
    messaging_key: str = ""
    whatsapp_url: str = "https://graph.facebook.com/v21.0"
    whatsapp_phone_number_id: str = ""
    """The number at WhatsApp that customers are written to from; empty means that WhatsApp is off."""
    whatsapp_token: str = ""
    whatsapp_app_secrets: str = ""
    """Sign WhatsApp's webhooks; comma-separated: two while rotating."""
    whatsapp_verify_token: str = ""
    """Said back to us when the webhook is registered."""
    sms_providers: str = ""
    """Which provider sends to which country, as IN:msg91,*:twilio; empty: MSG91 to India if it is
    configured, Twilio to every other country if it is, else whoever takes the messages of all."""
    twilio_url: str = "https://api.twilio.com"
    twilio_account_sid: str = ""
    twilio_auth_tokens: str = ""
    """The first one signs us in; any of them may sign a webhook. Comma-separated."""
    twilio_from: str = ""
    """The number or the sender's name, or a messaging service (MG…)."""
    msg91_url: str = "https://control.msg91.com"
    msg91_auth_key: str = ""
    msg91_sender: str = ""
    """The six letters that are registered as sender (DLT)."""
    msg91_path_secrets: str = ""
    """The secret part of /hooks/msg91/…, since MSG91 does not sign; comma-separated."""
    smtp_url: str = ""
    """smtps://user:password@host:465 or smtp://user:password@host:587 (which must offer STARTTLS)."""
    smtp_from: str = ""
    """Whom e-mails come from, as orders@shop.example."""
    smtp_bounces: str = ""
    """Where mail servers send e-mails back to (the envelope's sender); empty means `smtp_from`."""
    smtp_path_secrets: str = ""
    """The secret part of /hooks/email/…, comma-separated. The mail server gives what comes to
    `smtp_bounces` to `curl --fail --data-binary @- https://…/hooks/email/…`, each mail as it came."""
    vapid_private_key: str = ""
    """Signs what is pushed to phones: the key itself (32 bytes as base64url, or DER), or the absolute
    path of a file that holds it, PEM too. Empty means that push is off. Losing it silences every phone
    until its app is opened."""
    vapid_subject: str = ""
    """Whom push services may write to: a mailto: or https: address that exists (Apple insists)."""
    sandbox_target_url: str = ""
    """Where the sandbox sends its webhooks; empty means `public_url`."""
    sandbox_state: str = ""
    """The SQLite file of the sandbox; empty means that it forgets everything when it stops."""
    font_path: str = ""
    """Folder of the fonts for printed papers where the package has none beside it."""
    field_app_path: str = ""
    """Folder of the built field app; empty means `pwa/dist/field` beside the Makefile."""
    track_page_path: str = ""
    """Folder of the customer page's script; empty means `pwa/dist/track` beside the Makefile."""
    field_app_killed: bool = False
    """Takes the field app out of service: its workers remove themselves, captures stay."""
    field_app_oldest: str = ""
    """The oldest version of the field app that may sync (as 1.4.0); empty means all."""
    company_name: str = "Doorstep Trading LLC"
    doorstep_failpoints: str = ""
    """For tests alone: where this process crashes or stands still (`core/failpoints.py`). API and
    worker refuse to start with it unless PUBLIC_URL is on loopback and COOKIE_SECURE is false."""
    doorstep_clock_skew: float = 0.0
    """For tests alone, only together with `doorstep_failpoints`: seconds that this process's clock
    is ahead of the database's."""
    doorstep_clock_offset: float = 0.0
    """For plays alone (`doorstep simulate`): seconds that time is ahead for every process of this
    stack. API and worker refuse to start with it wherever anybody else could be served."""

    @property
    def serves_this_machine_only(self) -> bool:
        """Tell whether nobody but this machine can be served: what only tests and plays may do."""
        return not self.cookie_secure and urlsplit(self.public_url).hostname in LOOPBACK


def _from_environment() -> Settings:
    given = {
        name: os.environ[name.upper()]
        for name in Settings.__struct_fields__
        if os.environ.get(name.upper())
    }
    return msgspec.convert(given, Settings, strict=False)


@cache
def settings() -> Settings:
    """Read the settings of this process.

    Raises: msgspec.ValidationError naming the variable that does not fit.
    """
    return _from_environment()


def reload() -> Settings:
    """Read the environment again (a start-up that has just set it, and tests)."""
    settings.cache_clear()
    return settings()
