"""helpdesk owns the problems that wait for a person.

It never solves one: the person does, in the module that the problem is about.
"""
