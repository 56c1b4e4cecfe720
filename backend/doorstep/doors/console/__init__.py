"""The desks: lists of what waits for a person, and what the person does about it."""
