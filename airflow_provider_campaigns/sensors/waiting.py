"""What sensors of campaigns share with each other: intervals, deadlines, and how failures look in every mode."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowSkipException, BaseSensorOperator

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.arguments.kinds import DURATION, strictly
from airflow_provider_campaigns.arguments.templates import is_template
from airflow_provider_campaigns.wait.arguments import WaitingTask

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_campaigns.hooks.campaign import CampaignHook
    from airflow_provider_campaigns.wait.group import CampaignGroup
    from airflow_provider_campaigns.wait.names import NameSearch
    from airflow_provider_campaigns.wait.state import WaitState

#: Where a wait in reschedule mode, which begins anew in another process at each look, keeps what it must not forget.
CARRIED_KEY = "campaign_wait"
#: Where there is no such store: how many seconds after a refusal the vendor is asked again, at most.
SECOND_LOOK_SECONDS = 10.0


class WaitingSensor(WaitingTask, BaseSensorOperator):
    """A sensor that waits for something about campaigns; what its arguments mean is told by the sensor itself."""

    conn_id: str
    hook_params: Mapping[str, Any] | None
    #: What goes on: a wait for one campaign, for several, or a search for one by its name.
    _going_on: WaitState | CampaignGroup | NameSearch | None = None
    #: What a kill does, imported before there is a campaign: while a task is killed is no time to import.
    _end_campaign: Callable[..., object] | None = None

    @classmethod
    def counted_kind(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the hook's further arguments, as far as they can be seen."""
        hook_params = given.get("hook_params")
        return {} if is_template(hook_params) else mapping_of(hook_params)

    @classmethod
    def check_given(cls, given: Mapping[str, Any]) -> None:
        """Refuse arguments that can be seen to be wrong, with ``poke_interval`` read as the other name that it is."""
        intervals = {name: given[name] for name in ("poll_interval", "poke_interval") if given.get(name) is not None}
        if len(intervals) == 2:
            both = " and ".join(f"{name}={value}" for name, value in intervals.items())
            raise InvalidRequest(f"{both} are the same thing here, also from default_args: give one of them.")
        for name, value in intervals.items():
            if not is_template(value):
                strictly(DURATION, name, value)
        super().check_given({name: value for name, value in given.items() if name != "poll_interval"} | intervals)

    def _check_vendor(self, hook: CampaignHook) -> None:
        """Refuse another vendor's connection: the id may be that of quite another campaign there."""
        wanted = self.client_class()
        if wanted is not None and not isinstance(hook.get_conn(), wanted):
            raise InvalidRequest(
                f"{type(self).__name__} waits for campaigns at {wanted.vendor}, and connection {self.conn_id!r} is of "
                f"type {hook.conn_type!r}. Nothing was asked. Choose another connection, or use CampaignSensor."
            )

    def _deadline(self, context: Context) -> float | None:
        if self.deferrable:
            # Airflow keeps to execution_timeout in a worker only, and a deferred task is in none.
            limits = [self.timeout, *([self.execution_timeout.total_seconds()] if self.execution_timeout else [])]
            return time.time() + min(limits)
        if not self.reschedule:
            return time.time() + self.timeout
        ti: Any = context["ti"]
        # Airflow 2 keeps to the timeout by itself in this mode, and does not tell when the first look was.
        first = ti.get_first_reschedule_date(context) if hasattr(ti, "get_first_reschedule_date") else None
        return None if first is None else first.timestamp() + self.timeout

    def _get_next_poke_interval(self, *args: Any, **kwargs: Any) -> float:
        if self.exponential_backoff or self._going_on is None:
            return float(super()._get_next_poke_interval(*args, **kwargs))
        return self._going_on.pause(time.time(), random.random())

    def _carried(self, context: Context) -> Mapping[str, Any]:
        """Return what the look before left, which was a process of its own; nothing in a new try, a new wait."""
        store: Any = context.get("task_state_store")
        carried = mapping_of(store.get(CARRIED_KEY)) if store is not None else {}
        return carried if carried.get("try_number") == context["ti"].try_number else {}

    def _carry(self, context: Context, what: Mapping[str, Any]) -> None:
        """Leave something for the next look, where Airflow (3.3 and newer) has a place for it."""
        store: Any = context.get("task_state_store")
        if store is not None:
            store.set(CARRIED_KEY, {**what, "try_number": context["ti"].try_number})

    def _soft(self, result: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
        # Airflow itself applies soft_fail to some exceptions in one mode and to others in another.
        try:
            return dict(result())
        except AirflowException as error:
            if self.soft_fail or self.never_fail:
                raise AirflowSkipException(f"Skipped instead of failed: {error}") from error
            raise


def mapping_of(value: Any) -> Mapping[str, Any]:
    """Return a mapping as it is, and an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}
