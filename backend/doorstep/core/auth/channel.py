"""Which channel somebody works for: one spelling, for every statement that asks."""

from __future__ import annotations

CHANNEL = """coalesce((SELECT l.channel_id FROM location l WHERE l.id = p.location_id),
                CASE WHEN cardinality(p.channel_ids) = 1 THEN p.channel_ids[1] END)"""
"""The channel that the person `p` works for, where there is one only."""
