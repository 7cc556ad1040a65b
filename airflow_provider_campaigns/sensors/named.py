"""What a sensor does that waits for a campaign of some name to appear."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowSensorTimeout

from airflow_provider_campaigns.arguments.kinds import MOMENT, NAME, ArgumentKind, choice
from airflow_provider_campaigns.exceptions import airflow_errors
from airflow_provider_campaigns.sensors.waiting import SECOND_LOOK_SECONDS, WaitingSensor

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.hooks.campaign import CampaignHook
    from airflow_provider_campaigns.triggers.campaign_name import CampaignNameTrigger
    from airflow_provider_campaigns.wait.names import CampaignName, NameSearch
    from airflow_provider_campaigns.wait.terms import Terms

#: Which campaign is meant when several have the name.
MATCH = ("only", "newest")


class FindsByName(WaitingSensor):
    """
    Waits for a campaign of some name to appear.

    :param campaign_name: The name, with ``*`` for any text. (templated)
    :param since: Only campaigns created then or later. (templated)
    :param match: ``only`` (the default) or ``newest``. (templated)
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        **WaitingSensor.arguments,
        "campaign_name": NAME.or_none(),
        "since": MOMENT.or_none(),
        "match": choice(MATCH),
    }
    template_fields: Sequence[str] = (*WaitingSensor.template_fields, "campaign_name", "since", "match")

    def __init__(
        self,
        *,
        campaign_name: str | None = None,
        since: datetime | str | None = None,
        match: str = "only",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.campaign_name = campaign_name
        self.since = since
        self.match = match
        self._search: NameSearch | None = None

    def _wanted_name(self) -> CampaignName:
        from airflow_provider_campaigns.wait.names import CampaignName

        since = self.argument("since")
        return CampaignName(
            self.argument("campaign_name"), None if since is None else since.timestamp(), self.argument("match")
        )

    def _begin_search(self, terms: Terms) -> None:
        from airflow_provider_campaigns.wait.names import NameSearch

        name = self._wanted_name()
        self._search = NameSearch(name, terms.poll_interval, terms.deadline, terms.patience, time.time())
        self._going_on = self._search
        self.log.info("Looking for a campaign of the name %s", name)

    def _name_trigger(self, hook: CampaignHook, terms: Terms) -> CampaignNameTrigger:
        # Here, since Airflow's triggers take their time to import, and parsing a DAG file needs none.
        from airflow_provider_campaigns.triggers.campaign_name import CampaignNameTrigger

        return CampaignNameTrigger.of(hook, self._wanted_name(), terms, hook_params=self.hook_params)

    def _find(self, context: Context, search: NameSearch, client: CampaignClient) -> str | None:
        """Look once, and return the id of the campaign, or None while there is none."""
        from airflow_provider_campaigns.wait.names import look_for
        from airflow_provider_campaigns.wait.runner import result_of

        carried = self._carried(context) if self.reschedule else {}
        if carried.get("campaign_id"):
            # Found by a look before; a newer one of the name is another campaign.
            return str(carried["campaign_id"])
        search.go_on(carried)
        with airflow_errors():
            outcome = search.took(look_for(search, client), time.time())
            if outcome is None and search.refusals and self.reschedule and context.get("task_state_store") is None:
                # Nothing takes the refusal along to the next look, so whether it is an answer is found out now.
                time.sleep(min(search.pause(time.time(), 1.0), SECOND_LOOK_SECONDS))
                outcome = search.took(look_for(search, client), time.time())
        if outcome is None:
            if self.reschedule:
                self._carry(context, search.carried())
            return None
        found: Mapping[str, Any] = self._soft(lambda: result_of(outcome, AirflowSensorTimeout))
        self.log.info("%s", outcome.message)
        return str(found["id"])
