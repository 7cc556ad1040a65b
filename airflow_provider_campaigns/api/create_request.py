"""A campaign that is ready to be created: its checked request, and where a launch's mark goes in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.fields import Field


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """
    A create request, checked to its last field; ``CampaignClient.prepare`` makes it and ``create`` sends it.

    :param vendor: The vendor's name as people write it.
    :param body: The JSON object to send, under the vendor's names. ``repr`` leaves it out, since it holds the message.
    :param marked_field: The field that a launch's mark goes to the end of.
    """

    vendor: str
    body: Mapping[str, Any] = field(repr=False)
    marked_field: Field

    def marked(self, mark: str) -> CreateRequest:
        """
        Return the same request with a mark at the end of its marked field.

        :param mark: The text by which the campaign is found again.
        :raises InvalidRequest: The field's own text leaves no room for the mark.
        """
        wire = self.marked_field.wire
        return replace(
            self, body={**self.body, wire: with_mark(self.body.get(wire), mark, self.marked_field, self.vendor)}
        )


def with_mark(own: Any, mark: str, field: Field, vendor: str) -> str:
    """
    Return a text with a mark at its end.

    :param own: The text as it goes on the wire, or None.
    :param mark: The mark.
    :param field: The field that holds both; its ``max_length`` is kept.
    :param vendor: The vendor's name, for the error.
    :raises InvalidRequest: The text leaves no room for the mark.
    """
    text = str(own or "").rstrip()
    marked = f"{text} {mark}".lstrip()
    if field.max_length is not None and len(marked) > field.max_length:
        raise InvalidRequest(
            f"{field.name} must have at most {field.max_length - len(mark) - 1} characters; it has {len(text)}. "
            f"The rest of {vendor}'s {field.max_length} is for the mark that a launch is found by."
        )
    return marked
