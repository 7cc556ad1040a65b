"""Operators that switch the schedule of a campaign at Kore.ai on and off; other vendors schedule with an update."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, cast

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.arguments.kinds import MOMENT, ArgumentKind, choice, whole_number
from airflow_provider_campaigns.arguments.templates import is_template
from airflow_provider_campaigns.operators.campaign import CampaignOperator

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.koreai.client import KoreAIClient
    from airflow_provider_campaigns.api.model import Campaign
    from airflow_provider_campaigns.hooks.campaign import CampaignHook

UNITS = ("days", "weeks")


class _ScheduleOperator(CampaignOperator):
    """
    What both operators share: the campaign's name, which is all that Kore.ai takes here.

    Kore.ai does not say which campaign it means when two have the name, so that is refused.
    """

    def __init__(self, *, conn_id: str = "koreai_default", **kwargs: Any) -> None:
        super().__init__(conn_id=conn_id, **kwargs)

    def hook(self) -> CampaignHook:
        """Return the Kore.ai hook."""
        from airflow_provider_campaigns.hooks.koreai import KoreAIHook

        return KoreAIHook(self.conn_id, **(self.hook_params or {}))

    def _name(self, client: KoreAIClient, campaign_id: str) -> str:
        """Return the campaign's name, which no other campaign may have."""
        name = client.get_campaign(campaign_id, progress=False).name
        if not name:
            raise InvalidRequest(
                f"Campaign {campaign_id} has no name, and Kore.ai schedules by name. Nothing was changed."
            )
        alike = [
            other.id
            for kind in ("sms", "voice")
            for other in client.list_campaigns(campaign_type=kind)
            if (other.name or "").lower() == name.lower() and other.id != campaign_id
        ]
        if alike:
            raise InvalidRequest(
                f"Campaign {campaign_id} has the name of {', '.join(alike[:5])}, and Kore.ai schedules by name. "
                "Give it a name of its own. Nothing was changed."
            )
        return name


class KoreAIEnableScheduleOperator(_ScheduleOperator):
    """
    Lets a campaign at Kore.ai run by itself, every so many days or weeks; returns the campaign as a plain dict.

    The schedule takes the place of the one that the campaign had.

    :param campaign_id: The campaign's id; its name must be its own, since Kore.ai takes no id here. (templated)
    :param runs_from: When it runs first: a datetime or its ISO 8601 text, with an offset from UTC. (templated)
    :param runs_until: When the schedule ends, alike; after ``runs_from`` and in the future. (templated)
    :param every: A run every so many days or weeks, from 1 to 365. (templated)
    :param unit: ``days`` (the default) or ``weeks``. (templated)
    :param weekdays: With ``weeks``, the days of a run: ``Mon`` to ``Sun``, at least one. (templated)
    :param conn_id: A connection of type ``koreai``, by default ``koreai_default``. (templated)
    :param hook_params: Further arguments of the hook, such as ``{"campaign_type": "voice"}``. (templated)
    :raises CampaignRequestRefused: Bad input, another campaign of that name, or Kore.ai refused it.
    :raises CampaignOutcomeUnknown: No conclusive answer came, and the schedule may hold; look before doing it again.
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        **CampaignOperator.arguments,
        "runs_from": MOMENT,
        "runs_until": MOMENT,
        "every": whole_number(1, 365),
        "unit": choice(UNITS),
    }
    template_fields: Sequence[str] = (
        *CampaignOperator.template_fields,
        *("runs_from", "runs_until", "every", "unit", "weekdays"),
    )

    def __init__(
        self,
        *,
        runs_from: datetime | str,
        runs_until: datetime | str,
        every: int | str,
        unit: str = "days",
        weekdays: Sequence[str] | str | None = None,
        **kwargs: Any,
    ) -> None:
        self.runs_from = runs_from
        self.runs_until = runs_until
        self.every = every
        self.unit = unit
        self.weekdays = weekdays
        super().__init__(**kwargs)
        if not any(is_template(value) for value in (runs_from, runs_until, every, unit, weekdays)):
            with self.checking():
                self._schedule()

    def _schedule(self) -> dict[str, Any]:
        """Return the schedule by the client's names, checked."""
        from airflow_provider_campaigns.api.koreai.schedule import schedule_body

        given = {
            "start": self.argument("runs_from"),
            "end": self.argument("runs_until"),
            f"every_{self.argument('unit')}": self.argument("every"),
            "weekdays": self.weekdays,
        }
        schedule_body(**given)
        return given

    def _act(self, hook: CampaignHook, campaign_id: str) -> Campaign:
        schedule = self._schedule()
        client = cast("KoreAIClient", hook.get_conn())
        name = self._name(client, campaign_id)
        client.enable_schedule(name, **schedule)
        return client.get_campaign(campaign_id, progress=False)


class KoreAIDisableScheduleOperator(_ScheduleOperator):
    """
    Ends the schedule of a campaign at Kore.ai, which then runs only when it is started; returns it as a plain dict.

    :param campaign_id: The campaign's id; its name must be its own, since Kore.ai takes no id here. (templated)
    :param conn_id: A connection of type ``koreai``, by default ``koreai_default``. (templated)
    :param hook_params: Further arguments of the hook, such as ``{"campaign_type": "voice"}``. (templated)
    :raises CampaignRequestRefused: Another campaign has that name, or Kore.ai refused it.
    :raises CampaignOutcomeUnknown: No conclusive answer came, so that the schedule may still hold.
    """

    def _act(self, hook: CampaignHook, campaign_id: str) -> Campaign:
        client = cast("KoreAIClient", hook.get_conn())
        client.disable_schedule(self._name(client, campaign_id))
        return client.get_campaign(campaign_id, progress=False)
