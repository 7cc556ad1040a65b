"""The campaigns that this Airflow launched, read from its database: receipts with the latest live figures, by page."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from sqlalchemy import and_, case, func, literal, literal_column, or_, select, tuple_, type_coerce
from sqlalchemy.orm import aliased

from airflow_provider_campaigns.api.model import CampaignStatus
from airflow_provider_campaigns.launch.receipt import RECEIPT_KEY
from airflow_provider_campaigns.links import LINK_KEY
from airflow_provider_campaigns.observe.shown import NEWER, OF_LIVE, OF_RECEIPT, read, text
from airflow_provider_campaigns.wait.live import LIVE_KEY

if TYPE_CHECKING:
    from sqlalchemy.engine import RowMapping
    from sqlalchemy.orm import Session

#: A running campaign that somebody waits for is stuck when it was not seen, or has not moved, for so long. That is
#: longer than a wait leaves figures unasked for that cannot decide anything.
STUCK_AFTER = timedelta(minutes=90)
#: The states of a task that still waits.
WAITING_STATES = ("running", "deferred", "up_for_reschedule", "restarting", "queued", "scheduled")
#: How a campaign ends that does not reach its people.
LOST = (CampaignStatus.FAILED.value, CampaignStatus.CANCELED.value)
UNKNOWN = CampaignStatus.UNKNOWN.value
MOST_ON_A_PAGE = 200
_TASK = ("dag_id", "run_id", "task_id", "map_index")


@dataclass(frozen=True, slots=True)
class CampaignFilter:
    """
    Which campaigns are asked for; each condition that is None lets all pass.

    :param vendor: The vendor's name, in any case.
    :param status: A status in this package's words.
    :param conn_id: The connection.
    :param campaign_id: The vendor's id.
    :param dag_id: The DAG that launched it. With ``run_id``: that launched it or waits for it.
    :param run_id: The DAG run.
    :param task_id: The task.
    :param map_index: The index of a mapped task instance.
    :param since: Launched at this time or later.
    :param until: Launched before this time.
    """

    vendor: str | None = None
    status: str | None = None
    conn_id: str | None = None
    campaign_id: str | None = None
    dag_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None
    map_index: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class CampaignPage:
    """
    One page of campaigns.

    :param campaigns: The campaigns as plain values.
    :param total: How many the filter lets pass.
    """

    campaigns: list[dict[str, Any]]
    total: int


class CampaignQuery:
    """
    Reads campaigns from Airflow's database.

    A receipt and live figures belong together by connection and id, which stand inside of JSON, where no database has
    an index. So the figures are read for the campaigns of one page. Only a filter or an order that goes by the latest
    status sorts all receipts and figures together, which takes longer.

    :param session: A session of Airflow's database.
    :param readable: The DAGs whose campaigns may be seen, or None for all.
    :param now: What time it is.
    """

    def __init__(self, session: Session, readable: Collection[str] | None = None, now: datetime | None = None) -> None:
        self._session = session
        self._readable = readable
        self._now = now or datetime.now(UTC)

    def page(
        self, wanted: CampaignFilter, *, limit: int = 50, offset: int = 0, trouble_first: bool = False
    ) -> CampaignPage:
        """
        Return one page, newest first.

        :param wanted: Which campaigns.
        :param limit: How many at most, up to 200.
        :param offset: How many to leave out.
        :param trouble_first: Put those first that failed, were canceled or are stuck.
        """
        conditions: list[Any] = []
        order: list[Any] = []
        if wanted.status is None and not trouble_first:
            one = self._told((RECEIPT_KEY,))
        else:
            one = self._matched(("seen_at", "moved_at", "task_state") if trouble_first else ())
            status = _latest_status(one)
            conditions += [status == wanted.status] if wanted.status is not None else []
            order += [case((self._trouble(one, status), 0), else_=1)] if trouble_first else []
        conditions += self._conditions(one, wanted)
        # The total comes along with the page: the database reads and sorts all of them for either.
        found = self._session.execute(
            select(*(one.c[name] for name in _TASK), one.c.task_state, func.count().over().label("total"))
            .where(*conditions)
            .order_by(*order, one.c.meant_at.desc(), one.c.run_id, one.c.task_id, one.c.map_index)
            .limit(max(1, min(limit, MOST_ON_A_PAGE)))
            .offset(max(0, offset))
        ).all()
        if found:
            total = found[0].total
        elif offset > 0:
            total = self._session.scalar(select(func.count()).select_from(one).where(*conditions)) or 0
        else:
            total = 0
        return CampaignPage(self._campaigns([row._mapping for row in found]), total)

    def _campaigns(self, tasks: Sequence[RowMapping]) -> list[dict[str, Any]]:
        """Return the campaigns that tasks launched, with the latest live figures of each."""
        if not tasks:
            return []
        keys = [tuple(task[name] for name in _TASK) for task in tasks]
        columns = (XComModel.dag_id, XComModel.run_id, XComModel.task_id, XComModel.map_index)
        left = self._session.execute(
            select(*columns, XComModel.key, XComModel.value, XComModel.timestamp)
            .where(XComModel.key.in_((RECEIPT_KEY, LINK_KEY)))
            .where(or_(*(and_(*(one == value for one, value in zip(columns, key, strict=True))) for key in keys)))
        ).all()
        by_task = {(tuple(row)[:4], row.key): row for row in left}
        receipts = [by_task[key, RECEIPT_KEY] for key in keys if (key, RECEIPT_KEY) in by_task]
        live = self._live_of({found for one in receipts if (found := read(OF_RECEIPT, one.value)["id"])})
        shown = []
        for task, key in zip(tasks, keys, strict=True):
            receipt, link = by_task.get((key, RECEIPT_KEY)), by_task.get((key, LINK_KEY))
            # A task may be cleared between two reads.
            if receipt is not None:
                told = read(OF_RECEIPT, receipt.value)
                figures = live.get((told["conn_id"], told["id"]))
                shown.append(self._shown(task, receipt.timestamp, told, figures, link.value if link else None))
        return shown

    def _live_of(self, campaign_ids: Collection[str]) -> Mapping[tuple[Any, Any], RowMapping]:
        """Return the latest live figures of campaigns, by connection and id."""
        if not campaign_ids:
            return {}
        one = self._told((LIVE_KEY,))
        # No text from inside of the JSON: SQLite hands out some that are no UTF-8.
        rows = self._session.execute(
            select(one.c.value, one.c.timestamp, one.c.task_state)
            .where(one.c.campaign_id.in_(campaign_ids))
            .order_by(one.c.timestamp)
        )
        return {(text(row.value.get("conn_id")), text(row.value.get("id"))): row._mapping for row in rows}

    def _shown(
        self, task: RowMapping, launched: datetime, told: Mapping[str, Any], live: RowMapping | None, url: Any
    ) -> dict[str, Any]:
        """Return one campaign as plain values, only what people may see of it."""
        campaign = dict(told)
        value = live["value"] if live else None
        if live and live["timestamp"] >= launched:
            newer = read(NEWER, value)
            campaign.update({name: newer[name] for name in NEWER if newer[name] not in (None, {})})
        figures = read(OF_LIVE, value)
        before = _iso(self._now - STUCK_AFTER)
        stuck = (
            campaign["status"] == CampaignStatus.RUNNING
            and live is not None
            and live["task_state"] in WAITING_STATES
            and any((figures[name] or before) < before for name in ("moved_at", "seen_at"))
        )
        return {
            **campaign,
            **figures,
            **{name: task[name] for name in _TASK},
            "task_state": None if task["task_state"] is None else str(task["task_state"]),
            "stuck": stuck,
            "url": url if isinstance(url, str) and url.startswith(("https://", "http://")) else None,
        }

    def _told(self, keys: Sequence[str]) -> Any:
        """Return receipts or live figures that may be seen, with what is sorted and filtered by as columns."""
        xcom, task = aliased(XComModel), aliased(TaskInstance)
        texts = {"conn_id": "conn_id", "id": "campaign_id"}
        texts.update({name: name for name in ("vendor", "status", "meant_at", "seen_at", "moved_at")})
        return (
            select(
                *(getattr(xcom, name) for name in (*_TASK, "key", "timestamp", "value")),
                task.state.label("task_state"),
                *(self._readable_json(xcom.value)[name].as_string().label(label) for name, label in texts.items()),
            )
            .join(task, and_(*(getattr(task, name) == getattr(xcom, name) for name in _TASK)))
            .where(xcom.key.in_(keys))
            .where(*([] if self._readable is None else [xcom.dag_id.in_(self._readable)]))
            .subquery()
        )

    def _readable_json(self, value: Any) -> Any:
        """Return a column of JSON without what the database itself cannot read: SQLite also keeps NaN, and fails."""
        if self._session.get_bind().dialect.name != "sqlite":
            return value
        return type_coerce(case((func.json_valid(value) == literal_column("1"), value)), value.type)

    def _matched(self, further: Sequence[str]) -> Any:
        """
        Return receipts and live figures, each beside the latest live figures of its campaign, if there are any.

        :param further: What is needed of those besides their status, by column.
        """
        told = self._told((RECEIPT_KEY, LIVE_KEY))
        of_campaign = (told.c.conn_id, told.c.campaign_id)
        # Live figures before receipts, by their keys' letters: with a parameter in it, SQLite would take each of the
        # columns below for a window of its own, and sort once for each.
        order = (told.c.key.desc(), told.c.timestamp.desc())

        def latest(name: str) -> Any:
            first = func.first_value(told.c[name], type_=told.c[name].type)
            return first.over(partition_by=of_campaign, order_by=order).label(f"latest_{name}")

        # What is sorted should be small.
        narrow = [column for column in told.c if column.name not in ("value", "seen_at", "moved_at")]
        return select(*narrow, *(latest(name) for name in ("key", "timestamp", "status", *further))).subquery()

    def _conditions(self, one: Any, wanted: CampaignFilter) -> list[Any]:
        # The receipt of a dry run has no id: nothing was launched.
        conditions = [one.c.key == RECEIPT_KEY, one.c.campaign_id.is_not(None)]
        if wanted.vendor is not None:
            conditions.append(func.lower(one.c.vendor) == wanted.vendor.lower())
        if wanted.conn_id is not None:
            conditions.append(one.c.conn_id == wanted.conn_id)
        if wanted.campaign_id is not None:
            conditions.append(one.c.campaign_id == wanted.campaign_id)
        if wanted.since is not None:
            conditions.append(one.c.meant_at >= _iso(wanted.since))
        if wanted.until is not None:
            conditions.append(one.c.meant_at < _iso(wanted.until))
        launched = and_(*_of_task(one, wanted))
        if wanted.run_id is None:
            return [*conditions, launched]
        live = self._told((LIVE_KEY,))
        awaited = select(live.c.conn_id, live.c.campaign_id).where(*_of_task(live, wanted))
        return [*conditions, or_(launched, tuple_(one.c.conn_id, one.c.campaign_id).in_(awaited))]

    def _trouble(self, one: Any, status: Any) -> Any:
        before = _iso(self._now - STUCK_AFTER)
        stuck = and_(
            one.c.latest_key == LIVE_KEY,
            one.c.latest_task_state.in_(WAITING_STATES),
            status == CampaignStatus.RUNNING.value,
            or_(one.c.latest_moved_at < before, one.c.latest_seen_at < before),
        )
        return or_(status.in_(LOST), stuck, one.c.task_state == "failed")


def _latest_status(one: Any) -> Any:
    is_newer = and_(one.c.latest_key == LIVE_KEY, one.c.latest_timestamp >= one.c.timestamp)
    return func.coalesce(case((is_newer, one.c.latest_status), else_=None), one.c.status, literal(UNKNOWN))


def _of_task(one: Any, wanted: CampaignFilter) -> list[Any]:
    names = [name for name in _TASK if getattr(wanted, name) is not None]
    return [one.c[name] == getattr(wanted, name) for name in names] or [literal(True)]


def _iso(moment: datetime) -> str:
    """Return a time as receipts and live figures write it, so that texts can be compared."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec="seconds")
