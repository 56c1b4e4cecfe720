"""Webhooks of other systems: proven genuine on their raw bytes, stored, answered.

Nothing is understood here; a job reads the inbox (DESIGN §3, reliability 5.5). A forged webhook
changes nothing but a counter.
"""

from doorstep.doors.hooks.routes import ROUTES

__all__ = ["ROUTES"]
