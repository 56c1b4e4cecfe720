"""messages owns what was told to whom: templates, one row per message and channel, its delivery.

It never decides that somebody is to be told: flows do.
"""
