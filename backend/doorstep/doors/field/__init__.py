"""The phones and scanners of field workers: every capture carries an event id and gets a verdict."""
