"""What mail servers send back about an e-mail, as they write it (RFC 3464, RFC 5965)."""

from __future__ import annotations

BOUNCE = """\
Return-Path: <>
From: MAILER-DAEMON@mx.example (Mail Delivery System)
To: bounces@shop.example
Date: Tue, 14 Jul 2026 10:00:00 +0400
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="4A1B.1/mx"

--4A1B.1/mx
Content-Type: text/plain; charset=us-ascii

The mail system: <aisha@example.com> could not be reached.

--4A1B.1/mx
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
Arrival-Date: Tue, 14 Jul 2026 09:59:58 +0400

Final-Recipient: rfc822; aisha@example.com
Action: {action}
Status: {status}
Remote-MTA: dns; mail.example.com
Diagnostic-Code: smtp; 550 {status} <aisha@example.com>: Recipient address
    rejected: User unknown

--4A1B.1/mx
Content-Type: {back}

From: Doorstep <orders@shop.example>
To: aisha@example.com
Message-ID: {message_id}
Subject: Your order

--4A1B.1/mx--
"""

COMPLAINT = """\
From: <abusedesk@example.com>
Date: Thu, 8 Mar 2026 17:40:36 -0000
Subject: FW: Your order
To: bounces@shop.example
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="part1_13d.2e68ed54"

--part1_13d.2e68ed54
Content-Type: text/plain; charset="US-ASCII"

This is an e-mail abuse report.

--part1_13d.2e68ed54
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: SomeGenerator/1.0
Version: 1

--part1_13d.2e68ed54
Content-Type: message/rfc822
Content-Disposition: inline

From: <orders@shop.example>
To: <aisha@example.com>
Subject: Your order
Message-ID: {message_id}

Your order is on its way.

--part1_13d.2e68ed54--
"""


def bounce(
    message_id: str, action: str = "failed", status: str = "5.1.1", *, whole: bool = False
) -> bytes:
    """Write what Postfix sends back; `whole` gives the e-mail back with it, else its headers."""
    back = "message/rfc822" if whole else "text/rfc822-headers"
    filled = BOUNCE.format(message_id=message_id, action=action, status=status, back=back)
    return filled.replace("\n", "\r\n").encode()


def complaint(message_id: str, kind: str = "abuse") -> bytes:
    """Write what a mailbox provider reports when its reader calls an e-mail spam."""
    return COMPLAINT.format(message_id=message_id, kind=kind).replace("\n", "\r\n").encode()
