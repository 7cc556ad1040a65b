"""Operators that change a campaign which exists: at any vendor, and at each with its fields checked at parse time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.arguments.kinds import MAPPING, ArgumentKind
from airflow_provider_campaigns.arguments.templates import is_template
from airflow_provider_campaigns.operators.campaign import CampaignOperator

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.altur.fields import AlturChanges
    from airflow_provider_campaigns.api.client import CampaignClient
    from airflow_provider_campaigns.api.kinbox.fields import KinboxChanges
    from airflow_provider_campaigns.api.koreai.fields import KoreAIFields
    from airflow_provider_campaigns.api.model import Campaign
    from airflow_provider_campaigns.hooks.campaign import CampaignHook


class UpdateCampaignOperator(CampaignOperator):
    """
    Changes a campaign that exists; returns it as a plain dict.

    The mark by which a launch finds its campaign stays in it, also when the field that holds it is changed (``name``
    at Kinbox, ``description`` at Altur and Kore.ai).

    :param campaign_id: The campaign's id. (templated)
    :param changes: The vendor's fields in snake_case, such as ``{"seconds_between_messages": 30}``; what is left out
        stays as it is. Kore.ai wants all fields of the campaign, and changes no campaign that is sending.
        ``extra_fields`` in it holds fields that this package does not know. (templated)
    :param conn_id: A connection of any of the vendors' types. (templated)
    :param hook_params: Further arguments of the hook. (templated)
    :raises CampaignRequestRefused: Bad input (names the field), or the vendor refused it.
    :raises CampaignOutcomeUnknown: No conclusive answer came; look before doing it again.
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {**CampaignOperator.arguments, "changes": MAPPING}
    template_fields: Sequence[str] = (*CampaignOperator.template_fields, "changes")
    template_fields_renderers = {"changes": "json"}

    def __init__(self, *, changes: Mapping[str, Any], **kwargs: Any) -> None:
        self.changes = changes
        super().__init__(**kwargs)

    @classmethod
    def client_class(cls) -> type[CampaignClient] | None:
        """Return the vendor's client class, or None where only the connection tells the vendor."""
        return None

    @classmethod
    def check_given(cls, given: Mapping[str, Any]) -> None:
        """Also refuse visibly wrong changes, where the vendor is known."""
        super().check_given(given)
        changes = given.get("changes")
        client_class = cls.client_class()
        if isinstance(changes, Mapping):
            if not changes:
                raise InvalidRequest("changes must hold at least one field to change.")
            if client_class is not None:
                visible = {name: value for name, value in changes.items() if not is_template(value)}
                client_class.check_changes(visible)

    def _act(self, hook: CampaignHook, campaign_id: str) -> Campaign:
        changes = dict(self.argument("changes"))
        client = hook.get_conn()
        client.check_changes(changes)
        if changes.get(client.marked_field) is not None:
            changes[client.marked_field] = _with_its_mark(client, campaign_id, changes[client.marked_field])
        return client.update_campaign(campaign_id, **changes)


def _with_its_mark(client: CampaignClient, campaign_id: str, text: Any) -> Any:
    """Return the new text of the marked field with the mark that the campaign has, by which its launch finds it."""
    from airflow_provider_campaigns.launch.intent import mark_in, without_mark

    mark = mark_in(client.marked_text(client.get_campaign(campaign_id, progress=False)))
    return client.marked(without_mark(str(text)), mark) if mark else text


class KinboxUpdateCampaignOperator(UpdateCampaignOperator):
    """
    Changes a campaign at Kinbox; returns it as a plain dict.

    A campaign may begin to send before a change arrives: create it with a ``scheduled_to`` that leaves time.

    :param campaign_id: The campaign's id. (templated)
    :param changes: The fields of
        :meth:`~airflow_provider_campaigns.api.kinbox.client.KinboxClient.update_campaign`. (templated)
    :param conn_id: A connection of type ``kinbox``, by default ``kinbox_default``. (templated)
    :raises CampaignRequestRefused: Bad input (names the field), or Kinbox refused it.
    :raises CampaignOutcomeUnknown: No conclusive answer came; look before doing it again.
    """

    def __init__(self, *, changes: KinboxChanges, conn_id: str = "kinbox_default", **kwargs: Any) -> None:
        super().__init__(changes=changes, conn_id=conn_id, **kwargs)

    @classmethod
    def client_class(cls) -> type[CampaignClient]:
        """Return Kinbox's client class."""
        from airflow_provider_campaigns.api.kinbox.client import KinboxClient

        return KinboxClient

    def hook(self) -> CampaignHook:
        """Return the Kinbox hook."""
        from airflow_provider_campaigns.hooks.kinbox import KinboxHook

        return KinboxHook(self.conn_id)


class AlturUpdateCampaignOperator(UpdateCampaignOperator):
    """
    Changes a campaign at Altur that has not finished; returns it as a plain dict.

    :param campaign_id: The campaign's id. (templated)
    :param changes: The fields of
        :meth:`~airflow_provider_campaigns.api.altur.client.AlturClient.update_campaign`, such as the hours of
        ``scheduling``; days left out of it are off. (templated)
    :param conn_id: A connection of type ``altur``, by default ``altur_default``. (templated)
    :raises CampaignRequestRefused: Bad input (names the field), or Altur refused it.
    """

    def __init__(self, *, changes: AlturChanges, conn_id: str = "altur_default", **kwargs: Any) -> None:
        super().__init__(changes=changes, conn_id=conn_id, **kwargs)

    @classmethod
    def client_class(cls) -> type[CampaignClient]:
        """Return Altur's client class."""
        from airflow_provider_campaigns.api.altur.client import AlturClient

        return AlturClient

    def hook(self) -> CampaignHook:
        """Return the Altur hook."""
        from airflow_provider_campaigns.hooks.altur import AlturHook

        return AlturHook(self.conn_id)


class KoreAIUpdateCampaignOperator(UpdateCampaignOperator):
    """
    Replaces the fields of a campaign at Kore.ai that is not sending; returns it as a plain dict.

    :param campaign_id: The campaign's id. (templated)
    :param changes: All fields of the campaign, as for
        :meth:`~airflow_provider_campaigns.api.koreai.client.KoreAIClient.prepare`: Kore.ai documents no partial change.
        (templated)
    :param conn_id: A connection of type ``koreai``, by default ``koreai_default``. (templated)
    :raises CampaignRequestRefused: Bad input (names the field), or Kore.ai refused it.
    :raises CampaignOutcomeUnknown: No conclusive answer came; look before doing it again.
    """

    def __init__(self, *, changes: KoreAIFields, conn_id: str = "koreai_default", **kwargs: Any) -> None:
        super().__init__(changes=changes, conn_id=conn_id, **kwargs)

    @classmethod
    def client_class(cls) -> type[CampaignClient]:
        """Return Kore.ai's client class."""
        from airflow_provider_campaigns.api.koreai.client import KoreAIClient

        return KoreAIClient

    def hook(self) -> CampaignHook:
        """Return the Kore.ai hook."""
        from airflow_provider_campaigns.hooks.koreai import KoreAIHook

        return KoreAIHook(self.conn_id, **(self.hook_params or {}))
