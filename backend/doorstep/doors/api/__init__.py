"""Our own API: orders in, for shops that have no adapter and for people at the console."""
