"""Every route of the application, by its operation."""

from __future__ import annotations

from doorstep.core.auth.guard import handlers_of
from tests.factories.company import the_app

ROUTES = {str(h.operation_id): (method, path, h) for method, path, h in handlers_of(the_app())}
