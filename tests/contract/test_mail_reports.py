"""Bounces and complaints as mail servers write them: what they say of which message, and what is refused."""

from __future__ import annotations

import pytest

from doorstep.adapters.mail_reports import MailHook
from doorstep.ports import EventUnreadable
from tests.factories.mail import bounce, complaint

NUMBER = "0198f3a2-1111-7000-8000-000000000001"
ABOUT = f"<{NUMBER}@shop.example>"


def test_it_is_known_by_its_path() -> None:
    hook = MailHook(("new-path", "old-path"))
    assert hook.genuine(b"", {}, "new-path") and hook.genuine(b"", {}, "old-path")
    assert not hook.genuine(b"", {}, "") and not MailHook(()).genuine(b"", {}, "")


@pytest.mark.parametrize("whole", [False, True])
def test_a_bounce_names_the_message_and_why(whole: bool) -> None:
    (report,) = MailHook(()).read(bounce(ABOUT, whole=whole)).reports
    assert (report.message_id, report.provider_id) == (NUMBER, ABOUT)
    assert (report.means, report.stops, report.status) == ("failed", "hard_bounce", "failed 5.1.1")
    assert report.reason.startswith("5.1.1 smtp; 550") and "User unknown" in report.reason
    assert report.at is not None and report.at.isoformat() == "2026-07-14T10:00:00+04:00"


@pytest.mark.parametrize(
    ("action", "status", "means", "stops"),
    [
        ("failed", "5.1.10", "failed", "hard_bounce"),
        ("failed", "5.2.1", "failed", "hard_bounce"),
        ("failed", "5.2.2", "failed", ""),
        ("Failed", "5.7.1", "failed", ""),
        ("failed", "4.4.7", "failed", ""),
        ("delayed", "4.4.1", "nothing", ""),
        ("relayed", "2.0.0", "nothing", ""),
        ("delivered", "2.1.5", "delivered", ""),
    ],
)
def test_only_an_address_that_is_none_is_not_written_to_again(
    action: str, status: str, means: str, stops: str
) -> None:
    (report,) = MailHook(()).read(bounce(ABOUT, action, status)).reports
    assert (report.means, report.stops) == (means, stops)


@pytest.mark.parametrize(
    ("kind", "stops"), [("abuse", "complaint"), ("fraud", "complaint"), ("not-spam", "")]
)
def test_a_complaint_stops_further_e_mails_and_changes_no_message(kind: str, stops: str) -> None:
    (report,) = MailHook(()).read(complaint(ABOUT, kind)).reports
    assert (report.message_id, report.means, report.stops) == (NUMBER, "nothing", stops)


DEEP = b"".join(
    b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(2000)
)


@pytest.mark.parametrize(
    "mail",
    [
        b"",
        b"\xff\x00\x00",
        b"Subject: Out of office\r\n\r\nBack on Monday.",
        bounce(""),
        complaint(ABOUT).replace(b"Message-ID", b"X-Other"),
        bounce(ABOUT).replace(b"message/delivery-status", b"text/plain"),
        DEEP,
    ],
    ids=["empty", "bytes", "reply", "unnamed", "other", "no-status", "deep"],
)
def test_any_other_mail_is_refused(mail: bytes) -> None:
    with pytest.raises(EventUnreadable):
        MailHook(()).read(mail)
