"""The processes that make one running Doorstep on one machine, for `doorstep demo` and its kin.

`backing` finds or starts PostgreSQL, Redis and the blob folder; `services` runs API, worker and
sandbox on them; `supervisor` keeps those alive and ends them. In production an orchestrator does
all this, see docker-compose.yml.
"""

from doorstep.stack.backing import servers
from doorstep.stack.services import RunningStack, running_stack

__all__ = ["RunningStack", "running_stack", "servers"]
