"""What others call: people, devices and sessions under one roof."""

from __future__ import annotations

from doorstep.core.auth.devices import (
    DeviceOut,
    enrol,
    list_devices,
    lock_device,
    revoke_device,
    sign_out_device,
    unlock_device,
)
from doorstep.core.auth.people import (
    EnrolmentCode,
    create_person,
    deactivate_person,
    make_enrolment_code,
)
from doorstep.core.auth.sessions import (
    IntegrationToken,
    SignedIn,
    Tokens,
    authenticate,
    find_session,
    forget_old_sessions,
    issue_integration_token,
    refresh,
    revoke_session,
    sign_in,
    sign_in_device,
    sign_out,
)

__all__ = [
    "DeviceOut",
    "EnrolmentCode",
    "IntegrationToken",
    "SignedIn",
    "Tokens",
    "authenticate",
    "create_person",
    "deactivate_person",
    "enrol",
    "find_session",
    "forget_old_sessions",
    "issue_integration_token",
    "list_devices",
    "lock_device",
    "make_enrolment_code",
    "refresh",
    "revoke_device",
    "revoke_session",
    "sign_in",
    "sign_in_device",
    "sign_out",
    "sign_out_device",
    "unlock_device",
]
