"""Operators that write people's rows of a vendor to object storage: contacts of campaigns and lists, and replies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_campaigns.arguments.kinds import ArgumentKind, choice, identifier
from airflow_provider_campaigns.operators.storing import OfOneCampaignOperator, ToObjectStorageOperator

if TYPE_CHECKING:
    from airflow_provider_campaigns.observe.lineage import DataPlace

#: Altur's words for the status of a contact.
CONTACT_STATUSES = (
    *("queue", "sending", "sent", "delivered", "voicemail", "read", "failed", "retrying", "converted"),
    *("answered", "accepted", "rejected"),
)


class AlturContactsToObjectStorageOperator(OfOneCampaignOperator):
    """
    Writes the contacts of an Altur campaign to a JSON Lines file, all of them or those of one status.

    A row has ``id``, ``contact`` (the phone number), ``name``, ``f_id``, ``status``, ``retries``, ``call_count``,
    ``extracted_data``, ``tags`` and what else Altur adds; 100 in an answer. A contact whose status changes while the
    list is read may be missed by a filter.

    :param campaign_id: The campaign. (templated)
    :param path: Where to, such as ``s3://aws_default@bucket/contacts/{{ run_id }}.jsonl``; a file of its own for each
        run and each mapped task instance, compressed if its name ends with ``.gz``. (templated)
    :param status: Only ``queue``, ``sending``, ``sent``, ``delivered``, ``voicemail``, ``read``, ``failed``,
        ``retrying``, ``converted``, ``answered``, ``accepted`` or ``rejected``. (templated)
    :param conn_id: A connection of type ``altur``, by default ``altur_default``. (templated)
    :param if_exists: ``overwrite`` (the default) or ``fail``.
    :return: ``{"path": ..., "count": ...}``, also the extra of the outlets' asset events.
    :raises CampaignRequestFailed: The vendor could not be asked, or its list is broken; no file was written; retried.
    :raises CampaignRequestRefused: Bad input, or the vendor refused the request; not retried.
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        **OfOneCampaignOperator.arguments,
        "status": choice(CONTACT_STATUSES).or_none(),
    }
    template_fields: Sequence[str] = (*OfOneCampaignOperator.template_fields, "status")

    def __init__(
        self, *, campaign_id: str, path: str, status: str | None = None, conn_id: str = "altur_default", **kwargs: Any
    ) -> None:
        super().__init__(campaign_id=campaign_id, path=path, conn_id=conn_id, **kwargs)
        self.status = status
        self.check_visible_arguments()

    def _rows(self) -> Iterator[Mapping[str, Any]]:
        from airflow_provider_campaigns.hooks.altur import AlturHook

        client = AlturHook(self.conn_id).get_conn()
        return client.list_contacts(self.argument("campaign_id"), status=self.argument("status"))


class KinboxRepliesToObjectStorageOperator(OfOneCampaignOperator):
    """
    Writes the conversations that a Kinbox campaign brought about to a JSON Lines file.

    A row is a session as Kinbox describes it, with ``id`` and ``campaignId``; 100 in an answer. For how many hours
    replies count is the campaign's ``trackMaxHours``, 96 by default.

    :param campaign_id: The campaign. (templated)
    :param path: Where to, such as ``s3://aws_default@bucket/replies/{{ run_id }}.jsonl``; a file of its own for each
        run and each mapped task instance, compressed if its name ends with ``.gz``. (templated)
    :param conn_id: A connection of type ``kinbox``, by default ``kinbox_default``. (templated)
    :param if_exists: ``overwrite`` (the default) or ``fail``.
    :return: ``{"path": ..., "count": ...}``, also the extra of the outlets' asset events.
    :raises CampaignRequestFailed: The vendor could not be asked, or its list is broken; no file was written; retried.
    :raises CampaignRequestRefused: Bad input, or the vendor refused the request; not retried.
    """

    def __init__(self, *, campaign_id: str, path: str, conn_id: str = "kinbox_default", **kwargs: Any) -> None:
        super().__init__(campaign_id=campaign_id, path=path, conn_id=conn_id, **kwargs)
        self.check_visible_arguments()

    def _rows(self) -> Iterator[Mapping[str, Any]]:
        from airflow_provider_campaigns.hooks.kinbox import KinboxHook

        return KinboxHook(self.conn_id).get_conn().list_sessions(self.argument("campaign_id"))


class KoreAIContactsToObjectStorageOperator(ToObjectStorageOperator):
    """
    Writes the contacts of a contact list at Kore.ai to a JSON Lines file.

    A row has ``_id``, ``phoneNumber`` and the list's other columns; 100 in an answer, 50 answers a minute.

    :param list_id: The list's id: ``create_list.output["id"]``. (templated)
    :param path: Where to, such as ``s3://aws_default@bucket/contacts/{{ run_id }}.jsonl``; a file of its own for each
        run and each mapped task instance, compressed if its name ends with ``.gz``. (templated)
    :param conn_id: A connection of type ``koreai``, by default ``koreai_default``. (templated)
    :param if_exists: ``overwrite`` (the default) or ``fail``.
    :return: ``{"path": ..., "count": ...}``, also the extra of the outlets' asset events.
    :raises CampaignRequestFailed: The vendor could not be asked, or its list is broken; no file was written; retried.
    :raises CampaignRequestRefused: Bad input, or the vendor refused the request; not retried.
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {
        **ToObjectStorageOperator.arguments,
        "list_id": identifier("a contact list", 'create_list.output["id"]'),
    }
    template_fields: Sequence[str] = (*ToObjectStorageOperator.template_fields, "list_id")

    def __init__(self, *, list_id: str, path: str, conn_id: str = "koreai_default", **kwargs: Any) -> None:
        super().__init__(path=path, conn_id=conn_id, **kwargs)
        self.list_id = list_id
        self.check_visible_arguments()

    def _source(self, namespace: str) -> DataPlace:
        from airflow_provider_campaigns.observe.lineage import DataPlace

        return DataPlace(namespace, f"contact_lists/{self.list_id}")

    def _rows(self) -> Iterator[Mapping[str, Any]]:
        from airflow_provider_campaigns.hooks.koreai import KoreAIHook

        client = KoreAIHook(self.conn_id).get_conn()
        return (contact.values for contact in client.list_contacts(self.argument("list_id")))
