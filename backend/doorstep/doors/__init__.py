"""Who comes in: each folder is a kind of visitor, with its routes and the reads across modules.

Doors write only through flows or a module's service.
"""
