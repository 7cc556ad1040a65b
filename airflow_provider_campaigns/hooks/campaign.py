"""What all vendors' hooks share: from an Airflow connection, checked, to a client."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook

from airflow_provider_campaigns.api.errors import CampaignAPIError, InvalidRequest
from airflow_provider_campaigns.arguments.kinds import MAPPING
from airflow_provider_campaigns.hooks import connection_form
from airflow_provider_campaigns.hooks.connection_types import all_types, declaration_of, needed_declaration
from airflow_provider_campaigns.hooks.settings import Settings, read_settings, type_in_words

if TYPE_CHECKING:
    from airflow.sdk import Connection

    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.api.model import Campaign


#: Whether launches are sent, in words.
_DRY_RUN = {
    True: "Dry run is on: launches are checked and never sent.",
    False: "Dry run is off: launches are sent.",
}


# Large on purpose: half of its methods hand a call on to the client, so that a DAG's code is alike at every vendor.
class CampaignHook(BaseHook):
    """
    A vendor's API with the credential of an Airflow connection.

    A vendor's hook names its connection type and builds its client; everything else is here. The type's form is
    declared in a provider's info with :func:`~airflow_provider_campaigns.hooks.connection_form.declare_connection`,
    also by a vendor in a distribution of its own.

    :param conn_id: The connection's id, by default ``<type>_default``.
    """

    conn_name_attr = "conn_id"
    conn_type: ClassVar[str]
    default_conn_name: ClassVar[str]
    hook_name: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Airflow up to 3.1 looks for these two in the class itself, not among what it inherits.
        if "conn_type" in cls.__dict__:
            behaviour = staticmethod(lambda: connection_form.legacy_field_behaviour(cls.declared_connection()))
            widgets = staticmethod(lambda: connection_form.legacy_widgets(cls.declared_connection()))
            cls.get_ui_field_behaviour = behaviour  # type: ignore[method-assign]
            cls.get_connection_form_widgets = widgets  # type: ignore[method-assign]

    def __init__(self, conn_id: str | None = None) -> None:
        super().__init__()
        self.conn_id = conn_id or self.default_conn_name

    @classmethod
    def of_connection(cls, conn_id: str, hook_params: Mapping[str, Any] | None = None) -> CampaignHook:
        """
        Return the hook of a connection of any vendor.

        :param conn_id: The connection.
        :param hook_params: Further arguments of its hook, such as Kore.ai's ``campaign_type``.
        :raises InvalidRequest: The connection is of another type.
        """
        return hook_for(cls.get_connection(conn_id), hook_params)

    @classmethod
    def declared_connection(cls) -> Mapping[str, Any]:
        """
        Return the declaration of the hook's connection type: its form, and how its fields are checked.

        :return: By default what an installed provider declares about ``conn_type``.
        :raises InvalidRequest: No installed provider declares it.
        """
        return needed_declaration(cls.conn_type)

    @property
    def class_path(self) -> str:
        """The hook's class path, by which a trigger finds it again."""
        return f"{type(self).__module__}.{type(self).__qualname__}"

    @abstractmethod
    def build_client(self, settings: Settings) -> CampaignClient:
        """Return the vendor's client for a connection's settings; no I/O."""

    @cached_property
    def _connection(self) -> Connection:
        return self.get_connection(self.conn_id)

    @cached_property
    def _settings(self) -> Settings:
        return read_settings(self._connection, self.declared_connection())

    @property
    def dry_run(self) -> bool:
        """Whether the connection says that launches are checked, and nothing is created, started or changed."""
        return bool(self._settings.extra["dry_run"])

    def console_url(self, campaign_id: str) -> str | None:
        """Return where people look at a campaign at the vendor, or None if the connection does not say."""
        template = self._settings.extra["console_url"]
        return str(template).replace("{campaign_id}", quote(campaign_id, safe="")) if template else None

    def client_for(self, connection: Connection) -> CampaignClient:
        """
        Return a client for a connection that is already at hand.

        :param connection: The connection.
        :raises InvalidRequest: Names the connection and what is wrong with it.
        """
        return self._client_of(read_settings(connection, self.declared_connection()))

    def _client_of(self, settings: Settings) -> CampaignClient:
        try:
            return self.build_client(settings)
        except InvalidRequest as error:
            if settings.conn_id in str(error):
                raise
            raise InvalidRequest(f"Connection {settings.conn_id!r}: {error}") from None

    @cached_property
    def _client(self) -> CampaignClient:
        return self._client_of(self._settings)

    def get_conn(self) -> CampaignClient:
        """Return the vendor's client, one per hook."""
        return self._client

    def test_connection(self) -> tuple[bool, str]:
        """
        Make one cheap authenticated request; return whether it worked, and what was found or is to be done.

        The message says whether dry run is on. A ``console_url`` that no link can be made of counts as a failure here.
        """
        try:
            if self._settings.left_aside:
                return False, " ".join(self._settings.left_aside)
            found = self.get_conn().check()
        except (CampaignAPIError, InvalidRequest, AirflowNotFoundException) as error:
            return False, str(error)
        return True, f"{found} {_DRY_RUN[self.dry_run]}"

    def begin(self, log: Any, *, dry_run: bool) -> bool:
        """
        Say whether dry run is on, as a launch's first line, and return it.

        :param log: The task's log.
        :param dry_run: Whether the operator asks for it; the connection may as well.
        """
        is_on = dry_run or self.dry_run
        log.info("Connection %r at %s. %s", self.conn_id, self.get_conn().vendor, _DRY_RUN[is_on])
        return is_on

    def create_campaign(self, **fields: Any) -> Campaign:
        """Create a campaign; see the vendor's client for the fields. Never call it twice for one intent."""
        return self.get_conn().create_campaign(**fields)

    def get_campaign(self, campaign_id: str, *, progress: bool = True) -> Campaign:
        """Return one campaign; ``progress=False`` spares the requests that only its figures would cost."""
        return self.get_conn().get_campaign(campaign_id, progress=progress)

    def list_campaigns(self, **filters: Any) -> Iterator[Campaign]:
        """
        Yield the account's campaigns lazily.

        :param filters: The vendor's.
        :raises InvalidRequest: The vendor has no such filter; names those that it has.
        """
        list_campaigns = self.get_conn().list_campaigns
        _check_names(f"{self.get_conn().vendor}'s list of campaigns", "filter", filters, list_campaigns)
        return list_campaigns(**filters)

    def get_campaigns(self, campaign_ids: Iterable[str], *, progress: bool = True) -> dict[str, Campaign]:
        """Return campaigns by id in the cheapest way; one that the vendor does not know is left out."""
        return self.get_conn().get_campaigns(campaign_ids, progress=progress)

    def start_campaign(self, campaign_id: str) -> Campaign:
        """Begin sending, where the vendor has that."""
        return self.get_conn().start_campaign(campaign_id)

    def pause_campaign(self, campaign_id: str) -> Campaign:
        """Hold sending, where the vendor has that."""
        return self.get_conn().pause_campaign(campaign_id)

    def resume_campaign(self, campaign_id: str) -> Campaign:
        """Go on with a paused campaign, where the vendor has that."""
        return self.get_conn().resume_campaign(campaign_id)

    def stop_campaign(self, campaign_id: str) -> Campaign:
        """End sending for good, where the vendor has that."""
        return self.get_conn().stop_campaign(campaign_id)

    def update_campaign(self, campaign_id: str, **changes: Any) -> Campaign:
        """Change a campaign; see the vendor's client for the fields."""
        return self.get_conn().update_campaign(campaign_id, **changes)

    def archive_campaign(self, campaign_id: str) -> Campaign:
        """Put a campaign away for good, its figures kept, where the vendor has that."""
        return self.get_conn().archive_campaign(campaign_id)

    def delete_campaign(self, campaign_id: str) -> None:
        """Delete a campaign, where the vendor has that."""
        self.get_conn().delete_campaign(campaign_id)


def hook_for(connection: Connection, hook_params: Mapping[str, Any] | None = None) -> CampaignHook:
    """
    Return the hook of a connection that is already at hand.

    Airflow's providers manager is not asked: it would read the metadata of every installed provider first, even for the
    connection types of this package.

    :param connection: The connection.
    :param hook_params: Further arguments of its hook, such as Kore.ai's ``campaign_type``.
    :raises InvalidRequest: The connection is of a type that runs no campaigns; names those that do.
    """
    declared = declaration_of(connection.conn_type)
    if declared is None:
        raise InvalidRequest(
            f"Connection {connection.conn_id!r} is {type_in_words(connection)}, which runs no campaigns. "
            f"Types that do: {', '.join(all_types())}."
        )
    module, _, name = declared["hook-class-name"].rpartition(".")
    hook_class: type[CampaignHook] = getattr(import_module(module), name)
    further = MAPPING.or_none().read("hook_params", hook_params) or {}
    _check_names(f"hook_params for {hook_class.hook_name}", "argument", further, hook_class, {"conn_id"})
    return hook_class(conn_id=connection.conn_id, **further)


def _check_names(
    what: str, part: str, given: Mapping[str, Any], taker: Callable[..., Any], taken: Collection[str] = ()
) -> None:
    """Refuse a name that a function does not take, which Python would tell of without the names that there are."""
    parameters = inspect.signature(taker).parameters.values()
    if any(each.kind is each.VAR_KEYWORD for each in parameters):
        return
    known = [each.name for each in parameters if each.name not in taken]
    unknown = next((name for name in given if name not in known), None)
    if unknown is not None:
        there = f"there are: {', '.join(known)}" if known else "there are none"
        raise InvalidRequest(f"{what} has no {part} {str(unknown)[:40]!r}; {there}.")
