"""places owns where people on the road were while they worked, and who looked at it.

It never decides when somebody is at work: flows do. It is no proof of anything and moves nothing; a fix
that is lost is no loss. What is older than 60 days is deleted, who looked is not.
"""
