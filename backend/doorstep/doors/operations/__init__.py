"""The door of the people who look after Doorstep itself: dead letters."""
