"""What operators that reach people share: the guards, and what happens when one of them says no."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowSkipException, BaseOperator

from airflow_provider_campaigns.arguments.declared import DeclaredArguments
from airflow_provider_campaigns.arguments.kinds import BOOLEAN, COUNT, DURATION, ArgumentKind, choice
from airflow_provider_campaigns.exceptions import LaunchRefused

if TYPE_CHECKING:
    from airflow_provider_campaigns.launch.guards import Guards, GuardVerdict


class GuardedOperator(DeclaredArguments, BaseOperator):
    """
    Reaches people only if its guards allow it.

    :param allow_backfill: Let a backfill run reach people; by default False.
    :param max_lateness: How long after the run was due it may, a timedelta or seconds; by default any time. It stops a
        cleared or long queued run of the past from reaching people now.
    :param min_recipients: The fewest recipients to do it for. (templated)
    :param max_recipients: The most recipients to do it for. (templated)
    :param send_window: When sending may begin, a dict or a list of dicts: ``timezone`` (IANA name, required), ``days``
        (of ``mon`` to ``sun``, by default all), ``hours`` (``["09:00", "18:00"]``, by default the whole day; the end is
        not in it and may be ``24:00``), ``holidays`` (dates or their text as YYYY-MM-DD, or
        the code of a country such as ``BR`` or ``US-CA``, which needs the extra ``audience``). (templated)
    :param outside_send_window: What to do outside of it: ``fail`` (the default), ``skip``, or ``defer`` until it opens,
        which holds no worker slot.
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        "allow_backfill": BOOLEAN,
        "max_lateness": DURATION.or_none(),
        "min_recipients": COUNT.or_none(),
        "max_recipients": COUNT.or_none(),
        "outside_send_window": choice(("fail", "skip", "defer")),
    }
    template_fields: Sequence[str] = (
        *("allow_backfill", "max_lateness", "min_recipients", "max_recipients", "send_window"),
    )

    def __init__(
        self,
        *,
        allow_backfill: bool = False,
        max_lateness: timedelta | float | None = None,
        min_recipients: int | str | None = None,
        max_recipients: int | str | None = None,
        send_window: Mapping[str, Any] | Sequence[Mapping[str, Any]] | str | None = None,
        outside_send_window: str = "fail",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.allow_backfill = allow_backfill
        self.max_lateness = max_lateness
        self.min_recipients = min_recipients
        self.max_recipients = max_recipients
        self.send_window = send_window
        self.outside_send_window = outside_send_window

    def check_visible_guards(self) -> None:
        """
        Refuse visibly wrong arguments at parse time.

        :raises InvalidRequest: Names the argument and what is allowed.
        """
        given = (self.allow_backfill, self.max_lateness, self.min_recipients, self.max_recipients, self.send_window)
        # Most DAGs set no guard; parsing them need not import what checks guards.
        if given != (False, None, None, None, None) or self.outside_send_window != "fail":
            self.guards(visible_only=True)

    def guards(self, *, visible_only: bool = False) -> Guards:
        """
        Return the guards as the arguments ask for them.

        :param visible_only: Leave out what is known only when the task runs.
        :raises InvalidRequest: Names the argument and what is allowed.
        """
        from airflow_provider_campaigns.launch.guards import Guards

        given = {"send_window": self.send_window, **{name: getattr(self, name) for name in GuardedOperator.arguments}}
        if visible_only:
            defaults = {"allow_backfill": False}
            given = {
                name: defaults.get(name) if self.is_rendered_later(name, value) else value
                for name, value in given.items()
            }
        return Guards.read(
            send_window=given.pop("send_window"),
            **{name: GuardedOperator.arguments[name].read(name, value) for name, value in given.items()},
        )

    def enforce(
        self, verdict: GuardVerdict, so_far: str, *, begun: bool, method_name: str = "execute_in_window"
    ) -> None:
        """
        Go on if the guards allow it; otherwise fail, skip or defer as they say.

        :param verdict: What they say.
        :param so_far: What has been sent, for the reader of the log.
        :param begun: Whether anything was sent; then the task is not skipped any more.
        :param method_name: The method that goes on when the send window has opened.
        """
        from airflow_provider_campaigns.launch.guards import GuardAction

        if verdict.action is GuardAction.GO:
            return
        if verdict.action is GuardAction.SKIP and not begun:
            raise AirflowSkipException(f"{verdict.reason} {so_far}")
        if verdict.until is None:
            raise LaunchRefused(f"{verdict.reason} {so_far}", guard=verdict.guard)
        # Here, since Airflow's triggers take their time to import, and parsing a DAG file needs none.
        from airflow.providers.common.compat.standard.triggers import TimeDeltaTrigger

        self.log.info("%s %s The task waits until then.", verdict.reason, so_far)
        self.defer(trigger=TimeDeltaTrigger(verdict.until - datetime.now(UTC)), method_name=method_name)

    def execute_in_window(self, context: Any, event: Any = None) -> Any:
        """Begin anew, now that the send window has opened."""
        return self.execute(context)
