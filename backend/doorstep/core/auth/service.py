"""What others call: people, devices and sessions under one roof."""

from __future__ import annotations

from doorstep.core.auth.people import (
    EnrolmentCode,
    create_person,
    deactivate_person,
    make_enrolment_code,
    revoke_device,
)
from doorstep.core.auth.sessions import (
    IntegrationToken,
    SignedIn,
    Tokens,
    authenticate,
    enrol,
    find_session,
    forget_old_sessions,
    issue_integration_token,
    refresh,
    revoke_session,
    sign_in,
    sign_in_device,
)

__all__ = [
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
    "make_enrolment_code",
    "refresh",
    "revoke_device",
    "revoke_session",
    "sign_in",
    "sign_in_device",
]
