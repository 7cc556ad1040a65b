"""What ``airflow campaigns`` prints: campaigns as a table or as JSON, read from Airflow's database."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from airflow.cli.simple_table import AirflowConsole
from airflow.utils.session import create_session

from airflow_provider_campaigns.api.model import CampaignStatus
from airflow_provider_campaigns.observe.campaigns import CampaignFilter, CampaignPage, CampaignQuery


def print_campaigns(args: Namespace) -> None:
    """Print a page of campaigns."""
    if args.status and args.status not in list(CampaignStatus):
        raise SystemExit(f"--status must be one of {', '.join(CampaignStatus)}; got {args.status!r}.")
    if args.run_id and not args.dag_id:
        raise SystemExit("--run-id needs --dag-id, since runs of several DAGs may have the same id.")
    wanted = CampaignFilter(
        vendor=args.vendor,
        status=args.status,
        conn_id=args.conn_id,
        dag_id=args.dag_id,
        run_id=args.run_id,
        since=_moment("--since", args.since),
        until=_moment("--until", args.until),
    )
    found = _page(wanted, limit=args.limit, offset=args.offset, trouble_first=args.trouble_first)
    if args.output == "json":
        _print_json(found.campaigns)
        return
    AirflowConsole().print_as([_line(one) for one in found.campaigns], args.output)
    last = args.offset + len(found.campaigns)
    if last < found.total:
        sys.stderr.write(f"{found.total} campaigns in all; --offset {last} shows more.\n")


def print_campaign(args: Namespace) -> None:
    """Print all that is known of one campaign, or of several with the same id at different connections."""
    found = _page(CampaignFilter(campaign_id=args.campaign_id, conn_id=args.conn_id)).campaigns
    if not found:
        raise SystemExit(f"This Airflow launched no campaign {args.campaign_id!r}, or its XComs were deleted.")
    if args.output == "json":
        _print_json(found)
        return
    for one in found:
        told = [{"what": name, "value": _text(value)} for name, value in one.items() if name != "curve"]
        AirflowConsole().print_as(told, args.output)


def _page(wanted: CampaignFilter, **place: Any) -> CampaignPage:
    with create_session() as session:
        return CampaignQuery(session).page(wanted, **place)


def _print_json(campaigns: list[dict[str, Any]]) -> None:
    sys.stdout.write(json.dumps(campaigns, ensure_ascii=False, indent=2) + "\n")


def _line(campaign: Mapping[str, Any]) -> dict[str, str]:
    progress = campaign["progress"]
    return {
        "id": _text(campaign["id"]),
        "name": _text(campaign["name"]),
        "vendor": _text(campaign["vendor"]),
        "status": f"{campaign['status'] or 'unknown'}{' (stuck)' if campaign['stuck'] else ''}",
        "progress": "" if progress is None else f"{progress:.0f} %",
        "ends_at": _text(campaign["ends_at"]),
        "launched_at": _text(campaign["meant_at"]),
        "dag_id": _text(campaign["dag_id"]),
        "run_id": _text(campaign["run_id"]),
    }


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_text(one)}" for name, one in value.items())
    return "" if value is None else str(value)


def _moment(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise SystemExit(f"{option} must be a time in ISO 8601, such as 2026-03-05T09:00; got {text!r}.") from None
