"""What all vendors' hooks share: from an Airflow connection, checked, to a client."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook

from airflow_provider_campaigns.api.errors import CampaignAPIError, InvalidRequest
from airflow_provider_campaigns.get_provider_info import get_provider_info
from airflow_provider_campaigns.hooks import legacy_form

if TYPE_CHECKING:
    from airflow.sdk import Connection

    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.api.model import Campaign


@dataclass(frozen=True, slots=True)
class Settings:
    """
    A connection, checked and with its defaults applied.

    :param conn_id: The connection's id.
    :param base_url: What the connection says about where the API is, or None for the vendor's own.
    :param login: The login, or None.
    :param password: The credential, or None.
    :param extra: The fields of the connection form by name, converted and with defaults.
    """

    conn_id: str
    base_url: str | None
    login: str | None
    password: str | None = field(repr=False)
    extra: Mapping[str, Any] = field(repr=False)

    @property
    def label(self) -> str:
        """How messages call the connection."""
        return f"connection {self.conn_id!r}"

    def credential(self, what: str) -> str:
        """Return the password, or raise an error that says where to put it."""
        if not self.password:
            raise InvalidRequest(f"Connection {self.conn_id!r} has no password: put the {what} there.")
        return self.password


def connection_type(conn_type: str) -> Mapping[str, Any]:
    """Return what the provider info declares about a connection type."""
    return next(entry for entry in get_provider_info()["connection-types"] if entry["connection-type"] == conn_type)


def _converted(value: Any, types: list[str]) -> Any:
    """Return a value in the type that the form declares; a connection URI and the older form carry text only."""
    if not isinstance(value, str) or "string" in types:
        return value
    if "boolean" in types and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if "number" in types or "integer" in types:
        try:
            return float(value)
        except ValueError:
            return value
    return value


def read_settings(connection: Connection, extra: Mapping[str, Any], conn_type: str) -> Settings:
    """
    Return a connection's settings, with the form's defaults applied and its rules checked.

    :param connection: The Airflow connection.
    :param extra: Its extra as a dict.
    :param conn_type: The connection type whose form declares the fields.
    :raises InvalidRequest: Names the connection and the field.
    """
    from jsonschema import Draft202012Validator

    label = f"Connection {connection.conn_id!r}"
    read: dict[str, Any] = {}
    for name, declared in connection_type(conn_type)["conn-fields"].items():
        schema = declared["schema"]
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        value = _converted(extra.get(name), types)
        if value is None or value == "":
            value = schema.get("default")
        if value is None and "null" not in types:
            raise InvalidRequest(f"{label} lacks {name!r} in its extra. {declared['description']}")
        if not Draft202012Validator(schema).is_valid(value):
            rules = {rule: allowed for rule, allowed in schema.items() if rule != "default"}
            raise InvalidRequest(f"{label}: {name!r} in its extra must keep to {rules}. {declared['description']}")
        read[name] = value
    return Settings(
        conn_id=str(connection.conn_id),
        base_url=_base_url(connection, label),
        login=connection.login or None,
        password=connection.password or None,
        extra=read,
    )


def _base_url(connection: Connection, label: str) -> str | None:
    host = (connection.host or "").strip()
    if connection.schema and connection.schema not in ("http", "https"):
        raise InvalidRequest(
            f"{label} has neither http nor https as its schema. Put the whole base URL into host; in a connection URI, "
            "percent-encode the host (https%3A%2F%2Fapi.example.com%2Fpath) and the password."
        )
    if not host:
        return None
    if connection.port:
        scheme, separator, rest = host.rpartition("://")
        name, slash, path = rest.partition("/")
        if re.search(r":\d+$", name):
            raise InvalidRequest(f"{label} has a port in its host and another as its port. Leave port empty.")
        host = f"{scheme}{separator}{name}:{connection.port}{slash}{path}"
    if connection.schema and "://" not in host:
        host = f"{connection.schema}://{host}"
    return host


class CampaignHook(BaseHook):
    """
    A vendor's API with the credential of an Airflow connection.

    A vendor's hook declares its connection type and builds its client; everything else is here.

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
            declared = connection_type(cls.conn_type)
            behaviour = staticmethod(lambda: legacy_form.field_behaviour(declared))
            widgets = staticmethod(lambda: legacy_form.widgets(declared))
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
    def _extra(self) -> Mapping[str, Any]:
        return read_settings(self._connection, self._connection.extra_dejson, self.conn_type).extra

    @property
    def dry_run(self) -> bool:
        """Whether the connection says that launches are checked but never sent."""
        return bool(self._extra["dry_run"])

    def console_url(self, campaign_id: str) -> str | None:
        """Return where people look at a campaign at the vendor, or None if the connection does not say."""
        template = self._extra["console_url"]
        return str(template).replace("{campaign_id}", quote(campaign_id, safe="")) if template else None

    def client_for(self, connection: Connection, extra: Mapping[str, Any] | None = None) -> CampaignClient:
        """
        Return a client for a connection that is already at hand.

        :param connection: The connection.
        :param extra: Its extra, where reading it here is not allowed (in an event loop).
        :raises InvalidRequest: Names the connection and what is wrong with it.
        """
        extra = connection.extra_dejson if extra is None else extra
        try:
            return self.build_client(read_settings(connection, extra, self.conn_type))
        except InvalidRequest as error:
            if connection.conn_id in str(error):
                raise
            raise InvalidRequest(f"Connection {connection.conn_id!r}: {error}") from None

    @cached_property
    def _client(self) -> CampaignClient:
        return self.client_for(self._connection)

    def get_conn(self) -> CampaignClient:
        """Return the vendor's client, one per hook."""
        return self._client

    def test_connection(self) -> tuple[bool, str]:
        """Make one cheap authenticated request; return whether it worked and what was found or is to be done."""
        try:
            return True, self.get_conn().check()
        except (CampaignAPIError, InvalidRequest, AirflowNotFoundException) as error:
            return False, str(error)

    def create_campaign(self, **fields: Any) -> Campaign:
        """Create a campaign; see the vendor's client for the fields. Never call it twice for one intent."""
        return self.get_conn().create_campaign(**fields)

    def get_campaign(self, campaign_id: str, *, progress: bool = True) -> Campaign:
        """Return one campaign; ``progress=False`` spares the requests that only its figures would cost."""
        return self.get_conn().get_campaign(campaign_id, progress=progress)

    def list_campaigns(self, **filters: Any) -> Iterator[Campaign]:
        """Yield the account's campaigns lazily; filters are the vendor's."""
        return self.get_conn().list_campaigns(**filters)

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


def hook_for(connection: Connection, hook_params: Mapping[str, Any] | None = None) -> CampaignHook:
    """
    Return the hook of a connection that is already at hand.

    The connection types of this package are known without Airflow's providers manager, which would read the metadata
    of every installed provider first.

    :param connection: The connection.
    :param hook_params: Further arguments of its hook, such as Kore.ai's ``campaign_type``.
    :raises InvalidRequest: The connection is of another type.
    """
    types = {entry["connection-type"]: entry["hook-class-name"] for entry in get_provider_info()["connection-types"]}
    if connection.conn_type in types:
        module, _, name = types[connection.conn_type].rpartition(".")
        known: CampaignHook = getattr(import_module(module), name)(conn_id=connection.conn_id, **(hook_params or {}))
        return known
    hook = connection.get_hook(hook_params=dict(hook_params or {}))
    if not isinstance(hook, CampaignHook):
        raise InvalidRequest(
            f"Connection {connection.conn_id!r} is of type {connection.conn_type!r}, which runs no campaigns. "
            f"Types: {', '.join(types)}."
        )
    return hook
