"""What becomes of a webhook in Airflow's database: an asset event, which starts DAGs, and a note for the triggerers."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from airflow.assets.manager import asset_manager
from airflow.models.asset import AssetEvent, AssetModel
from airflow.models.connection import Connection
from airflow.models.variable import Variable
from airflow.utils.session import create_session
from sqlalchemy import String, cast, select
from sqlalchemy.orm import Session

from airflow_provider_campaigns.api.altur.webhooks import WebhookEvent
from airflow_provider_campaigns.wait.wakeups import variable_of, with_campaign

logger = logging.getLogger(__name__)

#: The asset of a connection: its URI begins so, and ends with the connection's id.
ASSET_URI = "x-campaigns-webhook://"
#: So many events this process remembers by itself; the asset's events in the database remember those of two days.
MOST_REMEMBERED = 10_000
REMEMBERED_FOR = timedelta(days=2)


def secret_in(conn_id: str) -> str | None:
    """Return the password of a connection."""
    password = Connection.get_connection_from_secrets(conn_id).password
    return str(password) if password else None


class EventNotes:
    """
    Notes events, each once.

    Which were noted is known from the asset's events in the database, for all API servers together and over restarts.
    Where no DAG has the asset, only this process knows, and an event that comes twice makes waits look twice.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def note(self, conn_id: str, event: WebhookEvent) -> bool:
        """
        Note an event; return whether it was new.

        :param conn_id: The connection whose webhook it came by.
        :param event: The event.
        """
        key = (conn_id, event.event_id)
        # One after the other: an event that comes twice at once is one.
        with self._lock:
            if key in self._known:
                return False
            with create_session() as session:
                is_new = _register(session, conn_id, event)
                if is_new:
                    _wake(session, conn_id, event.campaign_id)
            self._known[key] = None
            while len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)
            return is_new


def _register(session: Session, conn_id: str, event: WebhookEvent) -> bool:
    """Make an asset event, unless there is one; the lock of the row lets two API servers do so one after the other."""
    uri = ASSET_URI + conn_id
    locked = session.scalars(
        select(AssetModel.id).where(AssetModel.uri == uri).order_by(AssetModel.id).with_for_update()
    )
    asset_ids = list(locked)
    if not asset_ids:
        logger.info("No DAG has the asset %r, so the event starts none.", uri)
        return True
    if _is_known(session, asset_ids, event.event_id):
        return False
    for asset in session.scalars(select(AssetModel).where(AssetModel.id.in_(asset_ids))).all():
        asset_manager.register_asset_change(asset=asset, extra=_extra(conn_id, event), session=session)
    return True


def _is_known(session: Session, asset_ids: list[int], event_id: str) -> bool:
    mentions = cast(AssetEvent.extra, String).contains(event_id, autoescape=True)
    since = datetime.now(UTC) - REMEMBERED_FOR
    extras = session.scalars(
        select(AssetEvent.extra).where(AssetEvent.asset_id.in_(asset_ids), AssetEvent.timestamp > since, mentions)
    )
    return any(isinstance(extra, dict) and extra.get("event_id") == event_id for extra in extras)


def _extra(conn_id: str, event: WebhookEvent) -> dict[str, Any]:
    """Return what a DAG is told: which campaign to ask the API about, and nothing that the API would say."""
    return {
        "event_id": event.event_id,
        "event_type": event.event_type,
        "occurred_at": event.occurred_at.isoformat(),
        "conn_id": conn_id,
        "campaign_id": event.campaign_id,
    }


def _wake(session: Session, conn_id: str, campaign_id: str) -> None:
    name = variable_of(conn_id)
    noted = session.scalar(select(Variable).where(Variable.key == name).with_for_update())
    text = with_campaign(noted.get_val() if noted else None, campaign_id, time.time())
    if noted:
        noted.set_val(text)
    else:
        session.add(Variable(key=name, val=text, description="Campaigns that webhooks were about; see the guide."))
