"""The commands ``airflow campaigns list`` and ``show``: what the board shows, on the command line; definitions only."""

from __future__ import annotations

from typing import Any


def campaign_commands() -> list[Any]:
    """Return the group of commands; every start of Airflow asks for it, so what carries them out is loaded later."""
    from airflow.cli.cli_config import ActionCommand, Arg, GroupCommand, lazy_load_command

    output = Arg(("-o", "--output"), help="json or table (the default)", choices=("table", "json"), default="table")
    conn_id = Arg(("--conn-id",), help="only campaigns of this connection")
    filters = (
        Arg(("--vendor",), help="only campaigns of this vendor, in any case"),
        Arg(("--status",), help="only campaigns with this status, such as running or failed"),
        Arg(("--dag-id",), help="only campaigns that this DAG launched"),
        Arg(("--run-id",), help="only campaigns that this DAG run launched or waits for; needs --dag-id"),
        Arg(("--since",), help="only campaigns launched at this time or later, in ISO 8601; UTC if it has no offset"),
        Arg(("--until",), help="only campaigns launched before this time"),
        Arg(("--trouble-first",), help="put those first that failed, were canceled or are stuck", action="store_true"),
        Arg(("--limit",), help="how many to print, at most 200; by default 50", type=int, default=50),
        Arg(("--offset",), help="how many to leave out; by default 0", type=int, default=0),
    )
    module = "airflow_provider_campaigns.observe.printing"
    return [
        GroupCommand(
            name="campaigns",
            help="Campaigns that this Airflow launched",
            subcommands=[
                ActionCommand(
                    name="list",
                    help="List campaigns, newest first",
                    func=lazy_load_command(f"{module}.print_campaigns"),
                    args=(conn_id, *filters, output),
                ),
                ActionCommand(
                    name="show",
                    help="Show one campaign with all that is known of it",
                    func=lazy_load_command(f"{module}.print_campaign"),
                    args=(Arg(("campaign_id",), help="the vendor's id of the campaign"), conn_id, output),
                ),
            ],
        )
    ]
