"""The arguments of a wait, which sensors and create operators share: declared by kind, checked before any request."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import BaseOperator, conf

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.arguments.declared import DeclaredArguments
from airflow_provider_campaigns.arguments.kinds import (
    BOOLEAN,
    DURATION,
    DURATION_OR_ZERO,
    MOMENT_OR_DURATION,
    PERCENT,
    SHARE,
    ArgumentKind,
    choice,
    whole_number,
)
from airflow_provider_campaigns.wait.answerable import unanswerable
from airflow_provider_campaigns.wait.decisions import Gates, Goal
from airflow_provider_campaigns.wait.evidence import DEFAULT_MIN_SAMPLE
from airflow_provider_campaigns.wait.terms import (
    DEFAULT_PATIENCE_SECONDS,
    DEFAULT_POLL_INTERVAL_SECONDS,
    ON_KILL,
    ON_LATE,
    Terms,
)

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.client import CampaignClient

_TERMS: Mapping[str, ArgumentKind] = {
    "progress_threshold": PERCENT.or_none(),
    "poll_interval": DURATION,
    "patience": DURATION_OR_ZERO,
    "stall_timeout": DURATION.or_none(),
    "min_delivered_ratio": SHARE.or_none(),
    "max_failed_ratio": SHARE.or_none(),
    "brake": SHARE.or_none(),
    "min_sample": whole_number(1, 1_000_000),
    "finish_by": MOMENT_OR_DURATION.or_none(),
    "on_late": choice(ON_LATE),
}


class WaitingTask(DeclaredArguments, BaseOperator):
    """
    A task that waits for a campaign; what each argument means is told by the operators and sensors.

    :param progress_threshold: Percent, above 0 up to 100. (templated, like the nine below)
    :param poll_interval: Seconds between two looks, or a timedelta; by default 60.
    :param patience: Seconds without a good answer before the campaign counts as out of reach; by default 30 minutes.
    :param stall_timeout: Seconds that a running campaign may go without any change of its figures.
    :param min_delivered_ratio: The least share delivered, 0 to 1.
    :param max_failed_ratio: The largest share failed, 0 to 1.
    :param brake: The share failed above which a running campaign is paused or stopped.
    :param min_sample: The fewest recipients that the brake judges by; by default 50.
    :param finish_by: When the goal is to be reached: a time, or a time from the beginning of the wait.
    :param on_late: What to do once the forecast passes it: ``warn`` (the default), ``fail`` or ``pause``.
    :param on_kill: ``leave`` (the default), ``pause`` or ``stop``.
    :param deferrable: Wait in the triggerer instead of a worker slot.
    """

    #: The argument that says what is waited for: ``sent`` or ``finished``.
    until_argument: ClassVar[str] = "until"
    arguments: ClassVar[Mapping[str, ArgumentKind]] = {**_TERMS, "on_kill": choice(ON_KILL), "deferrable": BOOLEAN}
    # on_kill is the method's name that Airflow calls.
    kept_as: ClassVar[Mapping[str, str]] = {"on_kill": "kill_policy"}
    template_fields: Sequence[str] = tuple(_TERMS)

    def __init__(
        self,
        *,
        progress_threshold: Any = None,
        poll_interval: Any = DEFAULT_POLL_INTERVAL_SECONDS,
        patience: Any = DEFAULT_PATIENCE_SECONDS,
        stall_timeout: Any = None,
        min_delivered_ratio: Any = None,
        max_failed_ratio: Any = None,
        brake: Any = None,
        min_sample: Any = DEFAULT_MIN_SAMPLE,
        finish_by: Any = None,
        on_late: str = "warn",
        on_kill: str = "leave",
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.progress_threshold = progress_threshold
        self.poll_interval = poll_interval
        self.patience = patience
        self.stall_timeout = stall_timeout
        self.min_delivered_ratio = min_delivered_ratio
        self.max_failed_ratio = max_failed_ratio
        self.brake = brake
        self.min_sample = min_sample
        self.finish_by = finish_by
        self.on_late = on_late
        self.kill_policy = on_kill
        self.deferrable = deferrable

    @classmethod
    def client_class(cls) -> type[CampaignClient] | None:
        """Return the vendor's client class where the task is for one vendor, to refuse early what it lacks."""
        return None

    @classmethod
    def counted_kind(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """
        Return what the vendor's figures depend on, as far as the arguments tell, such as Kore.ai's ``campaign_type``.

        :param given: Arguments by name.
        """
        return {}

    @classmethod
    def check_given(cls, given: Mapping[str, Any]) -> None:
        """Refuse arguments that can be seen to be wrong, each by itself and together."""
        super().check_given(given)
        read = {
            name: kind.read(name, given[name])
            for name, kind in cls.arguments.items()
            if name in given and not cls.is_rendered_later(name, given[name])
        }
        terms = cls._terms(read)
        client = cls.client_class() if read.get("on_kill", "leave") != "leave" or terms.gates.any else None
        if client is not None:
            check_on_kill(read.get("on_kill", "leave"), client)
            check_gates(terms.gates, client, cls.counted_kind(given))

    def terms(self, deadline: float | None = None, began: float | None = None) -> Terms:
        """
        Return the terms of the wait, once the task's templates are rendered.

        :param deadline: When to give up, in seconds since the epoch, or None for never.
        :param began: When the wait began, in seconds since the epoch, or None for now.
        :raises InvalidRequest: Names the argument and what is allowed.
        """
        names = [*_TERMS, self.until_argument]
        return self._terms({name: self.argument(name) for name in names}, deadline, began)

    @classmethod
    def _terms(cls, read: Mapping[str, Any], deadline: float | None = None, began: float | None = None) -> Terms:
        until, threshold = read.get(cls.until_argument), read.get("progress_threshold")
        if until == "sent" and threshold is not None:
            raise InvalidRequest(
                f"{cls.until_argument}='sent' and progress_threshold={threshold:g} are two goals: give one of them. "
                "(A campaign that is sent or finished has reached any threshold.)"
            )
        gates = {
            name: read[name]
            for name in ("min_delivered_ratio", "max_failed_ratio", "brake", "min_sample")
            if name in read
        }
        names = ("poll_interval", "patience", "stall_timeout", "on_late")
        wait = {name: read[name] for name in names if name in read}
        by = read.get("finish_by")
        if by is not None:
            wait["finish_by"] = by.timestamp() if isinstance(by, datetime) else (began or time.time()) + by
        return Terms(Goal(until or "finished", threshold), deadline=deadline, gates=Gates(**gates), **wait)


def check_on_kill(policy: str, client_class: type[CampaignClient]) -> None:
    """Refuse a policy that asks for an action which the vendor lacks."""
    if policy != "leave" and not client_class.supports(policy):
        raise InvalidRequest(
            f"on_kill={policy!r} does not work: {client_class.vendor} has no {policy}; {client_class.instead[policy]}."
        )


def check_gates(gates: Gates, client_class: type[CampaignClient], kind: Mapping[str, Any]) -> None:
    """Refuse gates that the vendor's figures can never answer."""
    never = unanswerable(gates, client_class.answers(**kind))
    if never:
        raise InvalidRequest(f"{client_class.vendor}: {' '.join(never)} Leave it out.")
