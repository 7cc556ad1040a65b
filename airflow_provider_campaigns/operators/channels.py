"""Operators that find a channel at Kinbox, and a template of it, by their names, for a create operator downstream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_campaigns.arguments.declared import DeclaredArguments
from airflow_provider_campaigns.arguments.kinds import NAME, ArgumentKind, identifier
from airflow_provider_campaigns.exceptions import airflow_errors

if TYPE_CHECKING:
    from airflow.sdk import Context

CHANNEL_ID = identifier("a channel", "find.output")


def _columns(value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(column, str) for column in value):
        raise ValueError
    return tuple(value)


COLUMNS = ArgumentKind("a list of the lead file's columns after the phone number, in order", _columns)


class KinboxFindChannelOperator(DeclaredArguments, BaseOperator):
    """
    Returns the id of the Kinbox channel that has a name, if it can send; for ``channel_id=find.output``.

    It is found once: a retry of the create task downstream sends from the same channel, also when somebody renames
    channels meanwhile. A name that no channel or several have is refused, and so is a channel that is not connected or
    is banned.

    :param channel: The channel's name (``description`` at Kinbox), such as ``Sales``; case does not count. (templated)
    :param conn_id: A connection of type ``kinbox``, by default ``kinbox_default``. (templated)
    :raises CampaignRequestRefused: No channel or several have the name, or it cannot send; not retried.
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {"conn_id": NAME, "channel": NAME}
    template_fields: Sequence[str] = ("conn_id", "channel")
    ui_color = "#e8f0fb"

    def __init__(self, *, channel: str, conn_id: str = "kinbox_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.channel = channel
        self.conn_id = conn_id
        self.check_visible_arguments()

    @classmethod
    def text_template_fields(cls) -> Sequence[str]:
        """Return the fields that are text."""
        return cls.template_fields

    def execute(self, context: Context) -> str:
        """Find it and return its id."""
        from airflow_provider_campaigns.hooks.kinbox import KinboxHook

        with airflow_errors():
            self.read_all_arguments()
            found = KinboxHook(self.conn_id).get_conn().channel_id(self.argument("channel"))
        self.log.info("Channel %r is %s", self.channel, found)
        return found


class KinboxFindTemplateOperator(DeclaredArguments, BaseOperator):
    """
    Returns the approved Kinbox template that has a name; for ``template=find.output`` of a create operator.

    A campaign is given the whole template as Kinbox lists it, not its id alone. It is found once: a retry of the create
    task downstream sends the same one. A name that no template of the channel or several have is refused, and so is a
    template that is not approved. Only official WhatsApp channels have templates.

    :param template_name: The template's name; case does not count. (templated)
    :param channel_id: The channel that sends, such as the output of
        :class:`~airflow_provider_campaigns.operators.channels.KinboxFindChannelOperator`. (templated)
    :param language: The template's language, such as ``pt_BR``; needed for a name that several templates have.
        (templated)
    :param columns: The lead file's columns after the phone number, in order: their number is compared with the
        placeholders of the template's body. By default nothing is compared. (templated)
    :param conn_id: A connection of type ``kinbox``, by default ``kinbox_default``. (templated)
    :return: The template: ``{"id", "name", "language", "category", "status", "components"}``.
    :raises CampaignRequestRefused: No template or several have the name, it is not approved, or it takes another number
        of values than there are columns; not retried.
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        "conn_id": NAME,
        "channel_id": CHANNEL_ID,
        "template_name": NAME,
        "language": NAME.or_none(),
        "columns": COLUMNS.or_none(),
    }
    template_fields: Sequence[str] = ("conn_id", "channel_id", "template_name", "language", "columns")
    ui_color = "#e8f0fb"

    def __init__(
        self,
        *,
        template_name: str,
        channel_id: str,
        language: str | None = None,
        columns: Sequence[str] | None = None,
        conn_id: str = "kinbox_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.template_name = template_name
        self.channel_id = channel_id
        self.language = language
        self.columns = columns
        self.conn_id = conn_id
        self.check_visible_arguments()

    @classmethod
    def text_template_fields(cls) -> Sequence[str]:
        """Return the fields that are text."""
        return ("conn_id", "channel_id", "template_name", "language")

    def execute(self, context: Context) -> dict[str, Any]:
        """Find it, compare it with the columns and return it."""
        from airflow_provider_campaigns.api.kinbox.templates import check_values
        from airflow_provider_campaigns.hooks.kinbox import KinboxHook

        with airflow_errors():
            self.read_all_arguments()
            columns = self.argument("columns")
            client = KinboxHook(self.conn_id).get_conn()
            found = client.find_template(
                self.argument("channel_id"), self.argument("template_name"), self.argument("language")
            )
            if columns is not None:
                check_values(found, len(columns))
        self.log.info("Template %r is %s", self.template_name, found["id"])
        return found
