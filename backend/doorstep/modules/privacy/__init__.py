"""privacy owns who wants to be forgotten, what that waits for, and how long a channel keeps people.

It never erases anything itself: what goes and what stays of each table is data of
`flows/erasure_columns.json`, and `flows/erasure.py` carries it out.
"""
