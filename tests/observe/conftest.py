"""Airflow's database with campaigns in it, and a client of the board that logs in as somebody."""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from environment import migrate

from airflow_provider_campaigns.testing.airflow_since import need

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

#: When the tests say that it is.
NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)


def iso(moment: datetime) -> str:
    """Return a time as receipts write it."""
    return moment.isoformat(timespec="seconds")


class Campaigns:
    """What tasks have left in Airflow's database; a new one is empty."""

    def __init__(self, session: Session) -> None:
        from airflow.models.dagbundle import DagBundleModel

        self.session = session
        self._runs: dict[tuple[str, str], int] = {}
        self._tasks: set[tuple[str, str, str, int]] = set()
        self._numbers = itertools.count(1)
        self.clear()
        session.merge(DagBundleModel(name="tests"))
        session.commit()

    def clear(self) -> None:
        """Empty the tables."""
        from airflow.models.dag import DagModel
        from airflow.models.dagrun import DagRun
        from airflow.models.taskinstance import TaskInstance
        from airflow.models.xcom import XComModel

        for model in (XComModel, TaskInstance, DagRun, DagModel):
            self.session.query(model).delete()
        self.session.commit()

    def launched(
        self,
        dag_id: str = "winter",
        run_id: str = "r1",
        task_id: str = "launch",
        map_index: int = -1,
        *,
        task_state: str = "success",
        age: timedelta = timedelta(hours=1),
        **receipt: Any,
    ) -> dict[str, Any]:
        """Leave the receipt of a launch; return it."""
        number = next(self._numbers)
        whole = {
            "key": "k",
            "mark": f"m{number}",
            "vendor": "Kinbox",
            "conn_id": "kinbox_default",
            "dry_run": False,
            "adopted": False,
            "meant_at": iso(NOW - age),
            "launched_at": iso(NOW - age),
            "id": f"c{number}",
            "name": f"Winter {number}",
            "status": "running",
            "vendor_status": "executing",
            "progress": 5.0,
            "counts": {"sent": 5},
            **receipt,
        }
        self.leave("campaign", whole, dag_id, run_id, task_id, map_index, task_state=task_state, at=NOW - age)
        return whole

    def live(
        self,
        campaign: Mapping[str, Any],
        dag_id: str = "winter",
        run_id: str = "r1",
        task_id: str = "wait",
        map_index: int = -1,
        *,
        task_state: str = "deferred",
        age: timedelta = timedelta(minutes=1),
        **figures: Any,
    ) -> None:
        """Leave live figures of a campaign."""
        whole = {
            **{name: campaign.get(name) for name in ("vendor", "conn_id", "id", "name", "vendor_status")},
            "status": "running",
            "progress": 40.0,
            "counts": {"sent": 40},
            "goal": "finished",
            "seen_at": iso(NOW - age),
            "moved_at": iso(NOW - age),
            "rate": 1.0,
            "ends_at": iso(NOW),
            "curve": [],
            **figures,
        }
        self.leave("campaign_live", whole, dag_id, run_id, task_id, map_index, task_state=task_state, at=NOW - age)

    def leave(
        self,
        key: str,
        value: Any,
        dag_id: str,
        run_id: str,
        task_id: str,
        map_index: int = -1,
        *,
        task_state: str = "success",
        at: datetime = NOW,
    ) -> None:
        """Leave an XCom."""
        from airflow.models.xcom import XComModel
        from sqlalchemy import insert

        run = self._run(dag_id, run_id)
        self._task(dag_id, run_id, task_id, map_index, task_state)
        where = {"dag_id": dag_id, "run_id": run_id, "task_id": task_id, "map_index": map_index}
        self.session.execute(
            insert(XComModel.__table__).values(**where, dag_run_id=run, key=key, value=value, timestamp=at)  # type: ignore[arg-type]
        )
        self.session.commit()

    def _run(self, dag_id: str, run_id: str) -> int:
        from airflow.models.dag import DagModel
        from airflow.models.dagrun import DagRun
        from sqlalchemy import insert, select

        if (dag_id, run_id) not in self._runs:
            self.session.merge(DagModel(dag_id=dag_id, bundle_name="tests", fileloc="/dags.py"))
            values = {"dag_id": dag_id, "run_id": run_id, "run_type": "manual", "state": "running", "run_after": NOW}
            self.session.execute(insert(DagRun.__table__).values(**values, log_template_id=1))  # type: ignore[arg-type]
            found = self.session.scalar(select(DagRun.id).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))
            self._runs[dag_id, run_id] = int(found or 0)
        return self._runs[dag_id, run_id]

    def _task(self, dag_id: str, run_id: str, task_id: str, map_index: int, state: str) -> None:
        from airflow.models.taskinstance import TaskInstance
        from sqlalchemy import insert

        if (dag_id, run_id, task_id, map_index) in self._tasks:
            return
        self._tasks.add((dag_id, run_id, task_id, map_index))
        where = {"dag_id": dag_id, "run_id": run_id, "task_id": task_id, "map_index": map_index}
        # A UUID, or a text up to Airflow 3.1.
        key = TaskInstance.__table__.c.id.type.python_type(str(uuid.uuid4()))
        self.session.execute(
            insert(TaskInstance.__table__).values(  # type: ignore[arg-type]
                **where, id=key, state=state, try_number=1, max_tries=0, pool="default_pool", pool_slots=1
            )
        )


@pytest.fixture(scope="session")
def database() -> None:
    """Airflow's database, ready."""
    need("apps of plugins in the API server")
    migrate(Path(os.environ["AIRFLOW_HOME"]), os.environ)


@pytest.fixture
def kept(database: None) -> Iterator[Campaigns]:
    """What tasks have left; nothing at first."""
    from airflow.utils.session import create_session

    with create_session() as session:
        campaigns = Campaigns(session)
        yield campaigns
        campaigns.clear()


#: A user's name, or None for somebody who has not logged in.
Ask = Callable[..., Any]


@pytest.fixture
def ask(kept: Campaigns, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    """Return a function that asks the board as a user; ``ana`` may read the DAG ``winter`` alone, ``admin`` all."""
    from airflow.api_fastapi import app as airflow_app
    from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from airflow_provider_campaigns.observe.plugin import CampaignsPlugin

    class PerDag(SimpleAuthManager):
        def is_authorized_dag(self, *, user: Any, details: Any = None, **rest: Any) -> bool:
            return user.username == "admin" or (details is not None and details.id == "winter")

    manager = PerDag()
    if hasattr(airflow_app, "_AuthManagerState"):
        monkeypatch.setattr(airflow_app._AuthManagerState, "instance", manager)
    else:
        # Airflow 3.1 keeps it in the module.
        monkeypatch.setattr(airflow_app, "auth_manager", manager)
    server = FastAPI()
    for one in CampaignsPlugin.fastapi_apps:
        server.mount(one["url_prefix"], one["app"])
    with TestClient(server) as client:

        def call(user: str | None, path: str = "api/campaigns", **query: Any) -> Any:
            headers = {}
            if user:
                token = manager.generate_jwt(SimpleAuthManagerUser(username=user, role="viewer"))
                headers["Authorization"] = f"Bearer {token}"
            return client.get(f"/campaigns/{path}", params=query, headers=headers)

        yield call
