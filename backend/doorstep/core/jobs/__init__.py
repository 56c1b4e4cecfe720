"""Jobs: functions that a worker runs for a row of the outbox, or again and again.

`@job` and `@recurring` register them; `executor` runs one, `relay` and `queue_worker` bring rows
to it through arq, `ticks` makes the rows of recurring jobs.
"""

from doorstep.core.jobs.registry import Job, RetryAt, find, job, queues, recurring, registered

__all__ = ["Job", "RetryAt", "find", "job", "queues", "recurring", "registered"]
