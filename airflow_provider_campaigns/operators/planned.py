"""What a create operator means to launch: its fields, its contacts, its guards; checked before anything is sent."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.arguments.kinds import NAME, ArgumentKind
from airflow_provider_campaigns.arguments.templates import is_template
from airflow_provider_campaigns.operators.guarded import GuardedOperator

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.api.create_request import CreateRequest
    from airflow_provider_campaigns.hooks.campaign import CampaignHook
    from airflow_provider_campaigns.launch.guards import GuardVerdict
    from airflow_provider_campaigns.launch.task_run import TaskRun


@dataclass(frozen=True, slots=True)
class LaunchPlan:
    """
    What a task would launch, checked to the last contact and not yet marked.

    :param request: The create request.
    :param further: What else is launched, by name.
    :param fingerprints: A short hash of each part, by which a change is found.
    """

    request: CreateRequest
    further: Mapping[str, Any]
    fingerprints: Mapping[str, str]


class PlannedCampaign(GuardedOperator):
    """
    Says what a task would launch, and whether it may.

    A vendor's operator takes the vendor's fields as arguments of its own and names them in ``create_fields``.

    :param conn_id: The connection. (templated)
    :param extra_fields: Fields that this package does not know, under the vendor's names. (templated)
    """

    #: The vendor's create fields by argument name.
    create_fields: ClassVar[tuple[str, ...]] = ()
    #: The client's name for each argument that could not keep it, since Airflow's operators use it for something else.
    renamed_fields: ClassVar[Mapping[str, str]] = {}
    #: The arguments that hold what recipients read or hear.
    text_fields: ClassVar[tuple[str, ...]] = ()
    #: Why the number of recipients is not known before the launch, or None where it is.
    recipients_unknown: ClassVar[str | None] = None
    arguments: ClassVar[Mapping[str, ArgumentKind]] = {**GuardedOperator.arguments, "conn_id": NAME}
    template_fields: Sequence[str] = ("conn_id", "extra_fields", *GuardedOperator.template_fields)

    def __init__(self, *, conn_id: str, extra_fields: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.conn_id = conn_id
        self.extra_fields = extra_fields

    @classmethod
    @abstractmethod
    def client_class(cls) -> type[CampaignClient]:
        """Return the vendor's client class, whose field checks run at parse time."""

    @classmethod
    def text_template_fields(cls) -> Collection[str]:
        """Return the arguments that the vendor takes as text, and the connection."""
        from airflow_provider_campaigns.api.fields import TEXT

        texts = {field.name for field in cls.client_class().create_fields if field.kind is TEXT}
        return {"conn_id", *(name for name in cls.create_fields if cls.renamed_fields.get(name, name) in texts)}

    @abstractmethod
    def hook(self) -> CampaignHook:
        """Return the vendor's hook for the connection."""

    def check_before(self, client: CampaignClient) -> Mapping[str, Any]:
        """Check what the create call does not, before anything is sent; return what else is launched, by name."""
        return {}

    def contacts_told(self) -> Mapping[str, Any]:
        """Return what the receipt says about the contacts besides what the vendor did with them."""
        return {}

    def recipients(self, client: CampaignClient) -> int | None:
        """Return how many people the campaign would reach at most, or None where the vendor does not say."""
        return None

    def sends_at(self) -> datetime | None:
        """Return when the vendor is told to begin sending, or None for at once."""
        return None

    def check_guards(self) -> None:
        """Refuse guards that this vendor's launches cannot keep."""
        limits = [name for name in ("min_recipients", "max_recipients") if getattr(self, name) is not None]
        if limits and self.recipients_unknown:
            raise InvalidRequest(f"{' and '.join(limits)} cannot be kept: {self.recipients_unknown}.")

    def check_visible_fields(self) -> None:
        """Refuse visibly wrong fields at parse time; called by a vendor's constructor when all is assigned."""
        from airflow_provider_campaigns.launch.intent import Intent

        visible = {name: value for name, value in self.given_fields().items() if not is_template(value)}
        self.check_visible_arguments()
        with self.checking():
            self.check_guards()
            self.check_visible_guards()
            with self._in_own_names():
                self.client_class().check_fields(visible, mark=Intent("0" * 64, {}).mark)

    def given_fields(self) -> dict[str, Any]:
        """Return the create fields that are not None, by the client's names."""
        given = {name: getattr(self, name) for name in self.create_fields}
        return {self.renamed_fields.get(name, name): value for name, value in given.items() if value is not None}

    @classmethod
    @contextmanager
    def _in_own_names(cls) -> Iterator[None]:
        """Have errors name the operator's arguments: ``retries`` at Altur is not the ``retries`` of Airflow."""
        try:
            yield
        except InvalidRequest as error:
            name, _, rest = str(error).partition(" ")
            own = next((own for own, theirs in cls.renamed_fields.items() if theirs == name), None)
            if own is None:
                raise
            renamed = InvalidRequest(f"{own} {rest}")
        else:
            return
        raise renamed

    def plan(self, hook: CampaignHook) -> LaunchPlan:
        """
        Check everything that is to be launched and return it; nothing is sent.

        :raises InvalidRequest: Names what is wrong.
        """
        from airflow_provider_campaigns.launch.intent import fingerprints

        client = hook.get_conn()
        further = self.check_before(client)
        with self._in_own_names():
            request = client.prepare(**self.given_fields(), extra_fields=self.extra_fields)
        # At another account the launch could not be found again.
        return LaunchPlan(request, further, fingerprints({**request.body, **further, "conn_id": hook.conn_id}))

    def verdict(self, run: TaskRun, client: CampaignClient) -> GuardVerdict:
        """Return what the guards say about launching now."""
        guards = self.guards()
        recipients = self.recipients(client) if guards.needs_recipients else None
        return guards.judge(run.facts(recipients, self.sends_at()))
