"""The board of campaigns as an app that Airflow's API server mounts: a page and its API; nothing in it launches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from importlib.resources import files
from typing import Annotated, Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import GetUserDep, requires_authenticated
from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.responses import Response

from airflow_provider_campaigns.api.model import CampaignStatus
from airflow_provider_campaigns.observe.campaigns import MOST_ON_A_PAGE, CampaignFilter, CampaignQuery

#: The page asks its own server alone, and only Airflow's own pages may show it in a frame.
_SECURITY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)
_FILES = {
    "": ("board.html", "text/html"),
    "board.css": ("board.css", "text/css"),
    "board.js": ("board.js", "text/javascript"),
    "chart.js": ("chart.js", "text/javascript"),
    "funnel.js": ("funnel.js", "text/javascript"),
}

app = FastAPI(
    title="Campaigns",
    description="The campaigns that this Airflow launched. Read-only; users see those of the DAGs that they may read.",
    # An app that is mounted inherits no login.
    dependencies=[Depends(requires_authenticated())],
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
)


@app.middleware("http")
async def secure(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    """Say to the browser what pages of this app may do, and that nothing of it is kept."""
    response = await answer(request)
    response.headers["Content-Security-Policy"] = _SECURITY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    return response


def readable_dags(user: GetUserDep) -> set[str]:
    """Return the DAGs that the user may read."""
    # Airflow's own dependency reads the state of its app, which a mounted one does not have.
    return get_auth_manager().get_authorized_dag_ids(user=user, method="GET")


@app.get("/api/campaigns")
def campaigns(
    session: SessionDep,
    readable: Annotated[set[str], Depends(readable_dags)],
    vendor: str | None = None,
    status: CampaignStatus | None = None,
    conn_id: str | None = None,
    campaign_id: str | None = None,
    dag_id: str | None = None,
    run_id: str | None = None,
    task_id: str | None = None,
    map_index: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    trouble_first: bool = False,
    limit: Annotated[int, Query(ge=1, le=MOST_ON_A_PAGE)] = 50,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> dict[str, Any]:
    """Return a page of campaigns, newest first, and how many there are in all."""
    wanted = CampaignFilter(
        vendor=vendor,
        status=status.value if status else None,
        conn_id=conn_id,
        campaign_id=campaign_id,
        dag_id=dag_id,
        run_id=run_id,
        task_id=task_id,
        map_index=map_index,
        since=since,
        until=until,
    )
    found = CampaignQuery(session, readable).page(wanted, limit=limit, offset=offset, trouble_first=trouble_first)
    return asdict(found)


@app.get("/")
@app.get("/{name}")
def page(name: str = "") -> Response:
    """Return the page or a file that it needs."""
    if name not in _FILES:
        raise HTTPException(404, "There is no such page.")
    file, kind = _FILES[name]
    return Response(files(__package__).joinpath("page", file).read_bytes(), media_type=kind)
