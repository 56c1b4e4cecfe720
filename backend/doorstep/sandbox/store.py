"""What the pretend world remembers: one SQLite file, which survives kill -9."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, number INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS shop_order (
  entity_id INTEGER PRIMARY KEY AUTOINCREMENT, increment_id TEXT NOT NULL UNIQUE,
  summary TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS shipment (
  entity_id INTEGER PRIMARY KEY AUTOINCREMENT, order_id INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS payment (reference TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS payment_link (
  id TEXT PRIMARY KEY, idempotency_key TEXT NOT NULL UNIQUE, request TEXT NOT NULL,
  expires_on TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS payout (
  id TEXT PRIMARY KEY, idempotency_key TEXT NOT NULL UNIQUE, request TEXT NOT NULL,
  reference TEXT NOT NULL, reference_id TEXT NOT NULL, amount INTEGER NOT NULL,
  currency TEXT NOT NULL, created_at REAL NOT NULL, settles_at REAL NOT NULL,
  final_status TEXT NOT NULL, requests INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS message (
  id TEXT PRIMARY KEY, idempotency_key TEXT UNIQUE, channel TEXT NOT NULL, recipient TEXT NOT NULL,
  subject TEXT NOT NULL, body TEXT NOT NULL, language TEXT NOT NULL, sent_at TEXT NOT NULL,
  requests INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS message_handed (
  message_id TEXT PRIMARY KEY, provider TEXT NOT NULL, reference TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS message_reported (
  id INTEGER PRIMARY KEY AUTOINCREMENT, message_id TEXT NOT NULL, status TEXT NOT NULL, at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS message_reported_of ON message_reported (message_id);
CREATE TABLE IF NOT EXISTS push_subscription (
  token TEXT PRIMARY KEY, server_key TEXT NOT NULL, private_key TEXT NOT NULL, auth TEXT NOT NULL,
  ended INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS push_message (
  id INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL, topic TEXT, urgency TEXT NOT NULL,
  ttl INTEGER NOT NULL, body TEXT NOT NULL, taken_at REAL NOT NULL, requests INTEGER NOT NULL,
  UNIQUE (token, topic));
CREATE TABLE IF NOT EXISTS hook (
  id INTEGER PRIMARY KEY AUTOINCREMENT, system TEXT NOT NULL, path TEXT NOT NULL,
  headers TEXT NOT NULL, body BLOB NOT NULL, due_at REAL NOT NULL, attempts INTEGER NOT NULL,
  status INTEGER);
CREATE INDEX IF NOT EXISTS hook_due ON hook (due_at) WHERE status IS NULL;
"""

Row = dict[str, Any]


class Store:
    """A few statements at a time on one connection; every one is committed by itself."""

    def __init__(self, path: str = "") -> None:
        """Open the file, or memory that is forgotten when no path is given."""
        self._db = sqlite3.connect(
            path or ":memory:", isolation_level=None, check_same_thread=False
        )
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)
        # A world that has forgotten must not give a number twice: it counts from the present time.
        self._db.execute(
            "INSERT INTO meta VALUES ('first_number', ?) ON CONFLICT DO NOTHING",
            (int(time.time() * 100),),
        )

    @property
    def first_number(self) -> int:
        """The number from which this world's orders count."""
        found: int = self.rows("SELECT number FROM meta WHERE name = 'first_number'")[0]["number"]
        return found

    def rows(self, sql: str, arguments: Sequence[Any] = ()) -> list[Row]:
        """Run a statement and fetch its rows."""
        return [dict(row) for row in self._db.execute(sql, arguments).fetchall()]

    def row(self, sql: str, arguments: Sequence[Any] = ()) -> Row | None:
        """Run a statement and fetch its first row."""
        found = self._db.execute(sql, arguments).fetchone()
        return None if found is None else dict(found)

    def run(self, sql: str, arguments: Sequence[Any] | dict[str, Any] = ()) -> int:
        """Run a statement; return the id of the row it inserted."""
        return self._db.execute(sql, arguments).lastrowid or 0

    def close(self) -> None:
        """Close the file."""
        self._db.close()
