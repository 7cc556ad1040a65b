"""The message templates of a channel at Kinbox: which one has a name, and whether it fits the values of a lead file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_campaigns.api import reading
from airflow_provider_campaigns.api.endpoints import Endpoint
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.transport import Transport

TEMPLATES = Endpoint("GET", "/v1/channels/{channel_id}/templates")

_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_TEMPLATES_TOLD = 10


class KinboxTemplates:
    """The part of ``KinboxClient`` that knows the templates of a channel."""

    transport: Transport

    def list_templates(self, channel_id: str) -> list[dict[str, Any]]:
        """
        Return the approved templates of an official WhatsApp channel; other channels have none.

        :param channel_id: The channel's id.
        :return: Dicts as Kinbox describes them, with ``id``, ``name``, ``language``, ``category``, ``status`` and
            ``components``. Kinbox keeps the list for 15 minutes, so a new template may be missing that long.
        :raises NotFound: There is no such channel.

        .. seealso:: https://docs.kinbox.com.br/api-reference
        """
        answer = self.transport.call(TEMPLATES, path={"channel_id": channel_id})
        return [{**row, "id": answer.id_of(row, "id", "_id")} for row in answer.array("data")]

    def find_template(self, channel_id: str, name: str, language: str | None = None) -> dict[str, Any]:
        """
        Return the approved template that has a name, as a campaign's ``template`` takes it; one request.

        :param channel_id: The channel's id.
        :param name: The template's name; case and blanks around it do not count.
        :param language: Its language, such as ``pt_BR``, for a name that several templates have.
        :raises InvalidRequest: No template or several have the name, or the one that has it is not approved.
        """
        return chosen_template(self.list_templates(channel_id), name, language)


def chosen_template(templates: Sequence[Mapping[str, Any]], name: str, language: str | None = None) -> dict[str, Any]:
    """
    Return the approved one of some templates that has a name.

    :raises InvalidRequest: None or several have it, or it is not approved.
    """
    found = [
        row
        for row in templates
        if _folded(row.get("name")) == _folded(name)
        and (language is None or _folded(row.get("language")) == _folded(language))
    ]
    called = f"the name {name!r}" if language is None else f"the name {name!r} and the language {language!r}"
    if not found:
        known = ", ".join(_told(row) for row in templates[:_TEMPLATES_TOLD]) or "none"
        raise InvalidRequest(
            f"The channel has no approved template with {called}; it has: {known}. Only an official WhatsApp channel "
            "has templates, and Kinbox shows a new one after up to 15 minutes."
        )
    approved = [row for row in found if (reading.text(row.get("status")) or "APPROVED").upper() == "APPROVED"]
    if not approved:
        raise InvalidRequest(f"Template {_told(found[0])} is {found[0]['status']!r} and not approved. Choose another.")
    if len(approved) > 1:
        told = ", ".join(_told(row) for row in approved[:_TEMPLATES_TOLD])
        raise InvalidRequest(f"{len(approved)} templates have {called}: {told}. Say which one with language.")
    return dict(approved[0])


def check_values(template: Mapping[str, Any], values: int) -> None:
    """
    Refuse a template that needs another number of values than a row of the lead file has.

    The values fill the body's placeholders in order. Kinbox does not document where those of a header or a button come
    from, so a file may have values for them or not.

    :param template: The template, as Kinbox describes it; without a text nothing is checked.
    :param values: How many values a row has after the phone number.
    :raises InvalidRequest: Names both numbers and the difference.
    """
    parts = [(part, list(_texts(part))) for part in reading.rows(template.get("components"))]
    body = [text for part, texts in parts if _folded(part.get("type")) == "body" for text in texts]
    if not body:
        return
    lowest = _placeholders(body)
    highest = sum(_placeholders([text]) for _, texts in parts for text in texts)
    if lowest <= values <= highest:
        return
    needed = str(lowest) if lowest == highest else f"{lowest} to {highest}"
    apart = f"{lowest - values} too few" if values < lowest else f"{values - highest} too many"
    raise InvalidRequest(
        f"Template {_told(template)} takes {needed} values, and columns has {values}: {apart}. Give the lead file's "
        "columns after the phone number, one for each placeholder."
    )


def _texts(part: Mapping[str, Any]) -> Iterator[str]:
    """Yield the texts of a component that may hold placeholders: its own, and the addresses of its buttons."""
    buttons = [button.get("url") for button in reading.rows(part.get("buttons"))]
    yield from (text for text in map(reading.text, [part.get("text"), *buttons]) if text)


def _placeholders(texts: Sequence[str]) -> int:
    return len({name for text in texts for name in _PLACEHOLDER.findall(text)})


def _told(template: Mapping[str, Any]) -> str:
    return f"{template.get('name')!r} ({template.get('id')}, {template.get('language')})"


def _folded(name: Any) -> str:
    return (reading.text(name) or "").strip().casefold()
