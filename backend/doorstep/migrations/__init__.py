"""One Piccolo app for the whole schema. Owns the DDL, which is written by hand in `sql/`."""
