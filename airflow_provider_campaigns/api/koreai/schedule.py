"""When a Kore.ai campaign runs by itself: daily or weekly, between two moments."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from airflow_provider_campaigns.api import fields, reading
from airflow_provider_campaigns.api.endpoints import Effect, Endpoint, Safety
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.fields import Field
from airflow_provider_campaigns.api.koreai.access import KoreAIAccess, in_any_version
from airflow_provider_campaigns.api.koreai.answers import id_in

_SCHEDULE = Endpoint("POST", "/campaign/api/v2/public/{app_id}/campaign/schedule", Safety.ONCE)
ENABLE = in_any_version(_SCHEDULE)
DISABLE = in_any_version(replace(_SCHEDULE, effect=Effect.HOLD))

#: Spelt otherwise than the days of the calling hours.
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_EVERY = Field("every", "every", fields.INTEGER, minimum=1)


class KoreAISchedules(KoreAIAccess):
    """The calls that switch a campaign's schedule on and off; the vendor has them in v2 alone."""

    def enable_schedule(
        self,
        campaign_name: str,
        *,
        start: datetime.datetime,
        end: datetime.datetime,
        every_days: int | None = None,
        every_weeks: int | None = None,
        weekdays: Sequence[str] | None = None,
    ) -> str | None:
        """
        Let a campaign run by itself, daily or weekly; overrides the schedule it had.

        https://docs.kore.ai/ai-for-service/apis/contact-center/enable-voice-or-sms-campaign-schedule-daily

        :param campaign_name: The campaign's name: the vendor takes no id here, so it should be unique.
        :param start: Aware datetime of the first run.
        :param end: Aware datetime after start and in the future.
        :param every_days: A run every so many days, or
        :param every_weeks: every so many weeks, on ``weekdays``.
        :param weekdays: ``Mon`` to ``Sun``, at least one, with ``every_weeks``.
        :return: The campaign's id, where the vendor tells it.
        :raises InvalidRequest: Nothing was sent.
        :raises OutcomeUnknown: The schedule may or may not hold now.
        """
        return self._schedule(
            campaign_name, enable=True, body=schedule_body(start, end, every_days, every_weeks, weekdays)
        )

    def disable_schedule(self, campaign_name: str) -> str | None:
        """
        End a campaign's schedule.

        :param campaign_name: The campaign's name.
        :return: The campaign's id, where the vendor tells it.
        """
        return self._schedule(campaign_name, enable=False, body={})

    def _schedule(self, campaign_name: str, *, enable: bool, body: Mapping[str, Any]) -> str | None:
        if not isinstance(campaign_name, str) or not campaign_name.strip():
            raise InvalidRequest("campaign_name must be the name of a campaign.")
        query = {"enableSchedule": str(enable).lower(), "campaignName": campaign_name}
        answer = self._call(ENABLE if enable else DISABLE, query=query, body=body)
        return id_in(reading.mapping(reading.mapping(answer.data).get("data")), reading.mapping(answer.data))


def schedule_body(
    start: datetime.datetime,
    end: datetime.datetime,
    every_days: int | None = None,
    every_weeks: int | None = None,
    weekdays: Sequence[str] | None = None,
) -> dict[str, Any]:
    """
    Return the JSON object that switches a schedule on.

    :raises InvalidRequest: Names the field and what is allowed.
    """
    for name, moment in (("start", start), ("end", end)):
        if not isinstance(moment, datetime.datetime) or moment.tzinfo is None:
            raise InvalidRequest(f"{name} must be a datetime with a time zone (a naive one could mean any hour).")
    if end <= start or end <= datetime.datetime.now(datetime.UTC):
        raise InvalidRequest("end must be after start, and in the future.")
    if (every_days is None) == (every_weeks is None):
        raise InvalidRequest("Give either every_days or every_weeks.")
    recurrence: dict[str, Any]
    if every_weeks is None:
        if weekdays is not None:
            raise InvalidRequest("weekdays goes with every_weeks.")
        days = replace(_EVERY, name="every_days").read(every_days)
        recurrence = {"recurType": "Daily", "dailyDetails": {"onceEveryNdays": days}}
    else:
        chosen = [weekdays] if isinstance(weekdays, str) else list(weekdays or ())
        if not chosen or any(day not in WEEKDAYS for day in chosen):
            raise InvalidRequest(f"weekdays must be at least one of {', '.join(WEEKDAYS)}.")
        weeks = replace(_EVERY, name="every_weeks").read(every_weeks)
        recurrence = {"recurType": "Weekly", "weeklyDetails": {"onceEveryNweeks": weeks, "whichDays": chosen}}
    moments = [moment.astimezone(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S") for moment in (start, end)]
    return {"startDateTime": moments[0], "endDateTime": moments[1], "recurrenceObject": recurrence}
