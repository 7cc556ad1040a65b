"""Creating campaigns: the part of a client that checks fields, makes the request, and puts a launch's mark in it."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_campaigns.api import fields
from airflow_provider_campaigns.api.create_request import CreateRequest, with_mark

if TYPE_CHECKING:
    from airflow_provider_campaigns.api.fields import Field
    from airflow_provider_campaigns.api.model import Campaign


class CreatesCampaigns(abc.ABC):
    """The part of a client that creates campaigns."""

    #: The vendor's name as people write it.
    vendor: ClassVar[str]
    #: The create fields, each declared once: its names, its kind and its limits.
    create_fields: ClassVar[Sequence[Field]]
    #: The name of the create field that a launch's mark goes to the end of: one that the vendor's list shows.
    marked_field: ClassVar[str] = "description"

    @classmethod
    def check_fields(cls, values: Mapping[str, Any], *, mark: str = "") -> None:
        """
        Check those create fields that are given, without any I/O; what is missing or None may still come.

        :param values: Create fields by Python name; of ``extra_fields`` only the type is checked.
        :param mark: The mark that will be put into the marked field; its text must leave room for it.
        :raises InvalidRequest: Names the field and what is allowed.
        """
        given, extra_fields = fields.without_extra(values)
        read = cls.read_fields(given)
        fields.checked_extra(extra_fields)
        if mark and cls.marked_field in read:
            cls.marked(read[cls.marked_field], mark)

    @classmethod
    def read_fields(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """
        Return those create fields that are given as the vendor takes them, checked each by itself and together.

        A vendor whose fields depend on each other extends this; what is missing or None may still come.

        :param values: Create fields by Python name, without ``extra_fields``.
        :raises InvalidRequest: Names the field and what is allowed.
        """
        return fields.read(cls.create_fields, values)

    def body_of(self, read: Mapping[str, Any], extra_fields: Mapping[str, Any] | None) -> dict[str, Any]:
        """
        Return the JSON object that creates a campaign.

        :param read: What :meth:`read_fields` returned.
        :param extra_fields: Fields that this package does not know, under the vendor's names.
        :raises InvalidRequest: Names the field that is missing.
        """
        return fields.body_of(self.create_fields, read, extra_fields)

    def prepare(self, *, extra_fields: Mapping[str, Any] | None = None, **values: Any) -> CreateRequest:
        """
        Return the request that creates a campaign, checked to its last field; no I/O.

        :param extra_fields: Fields that this package does not know, under the vendor's names, sent as they are.
        :param values: The vendor's fields in snake_case; None means "not given".
        :raises InvalidRequest: Names the field and what is allowed.
        """
        return CreateRequest(self.vendor, self.body_of(self.read_fields(values), extra_fields), self._declared_mark())

    @abc.abstractmethod
    def create(self, request: CreateRequest, *, idempotency_key: str | None = None) -> Campaign:
        """
        Create a campaign; the one call that must never be made twice for one intent.

        :param request: What :meth:`prepare` returned, with the launch's mark if there is one.
        :param idempotency_key: Sent where the vendor honours such a key, else of no effect.
        :raises OutcomeUnknown: A campaign may or may not exist now.
        """

    def create_campaign(self, *, idempotency_key: str | None = None, **values: Any) -> Campaign:
        """
        Create a campaign from its fields: :meth:`prepare` and :meth:`create` in one.

        :param idempotency_key: As for :meth:`create`.
        :param values: As for :meth:`prepare`.
        :raises InvalidRequest: Nothing was sent.
        :raises OutcomeUnknown: A campaign may or may not exist now.
        """
        return self.create(self.prepare(**values), idempotency_key=idempotency_key)

    @classmethod
    def marked(cls, text: str | None, mark: str) -> str:
        """
        Return what the marked field holds with a mark at its end.

        :param text: The field's own text, or None.
        :param mark: The text by which the campaign is found again.
        :raises InvalidRequest: The text leaves no room for the mark.
        """
        return with_mark(text, mark, cls._declared_mark(), cls.vendor)

    @classmethod
    def _declared_mark(cls) -> Field:
        return next(field for field in cls.create_fields if field.name == cls.marked_field)
