"""The operator that finds a channel at Kinbox by its name, for a create operator downstream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_campaigns.arguments.declared import DeclaredArguments
from airflow_provider_campaigns.arguments.kinds import NAME, ArgumentKind
from airflow_provider_campaigns.exceptions import airflow_errors

if TYPE_CHECKING:
    from airflow.sdk import Context


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
