"""Orders in the shop's own format, for tests of every folder."""
