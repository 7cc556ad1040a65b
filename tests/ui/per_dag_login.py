"""A login for tests: whoever asks is an administrator, but for Ana, who may read the DAGs that begin with her name."""

from __future__ import annotations

import sys
from typing import Any

from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser


class PerDagLogin(SimpleAuthManager):
    """Airflow's simple login with a permission for each DAG."""

    def get_fastapi_middlewares(self) -> list[Any]:
        """Leave out what makes every request an administrator's, whatever token it brings."""
        return []

    def is_authorized_dag(self, *, user: Any, details: Any = None, **rest: Any) -> bool:
        """Whether a user may do something with a DAG."""
        hers = details is None or details.id is None or details.id.startswith("ana_")
        return (user.username != "ana" or hers) and super().is_authorized_dag(user=user, details=details, **rest)


if __name__ == "__main__":
    sys.stdout.write(PerDagLogin().generate_jwt(SimpleAuthManagerUser(username="ana", role="viewer")))
