"""A column type that Piccolo does not bring."""

from __future__ import annotations

from piccolo.columns import Column


class TimeRange(Column):
    """PostgreSQL's `tstzrange`: from a moment until before another."""

    value_type = object

    @property
    def column_type(self) -> str:
        """Name the type in DDL."""
        return "TSTZRANGE"
