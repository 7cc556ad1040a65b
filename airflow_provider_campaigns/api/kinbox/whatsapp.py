"""Which numbers can get a WhatsApp message from a channel at Kinbox."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from airflow_provider_campaigns.api import reading
from airflow_provider_campaigns.api.endpoints import Endpoint
from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.in_flight import in_order
from airflow_provider_campaigns.api.transport import Transport

CHECK_WHATSAPP = Endpoint("GET", "/v1/channels/{channel_id}/check-whatsapp", recipients=True)

#: How many numbers are asked for at once; Kinbox names no limit, and takes one number in a request.
REQUESTS_IN_FLIGHT = 4
#: What a number keeps whichever way its country code and area code, and Brazil's ninth digit, are written.
_LAST_DIGITS = 8


class KinboxWhatsApp:
    """The part of ``KinboxClient`` that knows who is on WhatsApp."""

    transport: Transport

    def check_whatsapp(self, channel_id: str, number: str) -> bool:
        """
        Return whether a number can get a WhatsApp message from a channel; it is sent none.

        :param channel_id: The channel's id.
        :param number: The number with its country code, with or without a plus.
        :raises InvalidRequest: It is no such number; it is not told.
        :raises NotFound: There is no such channel.

        .. seealso:: https://docs.kinbox.com.br/api-reference
        """
        digits = digits_of(number)
        answer = self.transport.call(CHECK_WHATSAPP, path={"channel_id": channel_id}, query={"phone": digits})
        told = reading.text(answer.object().get("phone"))
        if told is not None and told[-_LAST_DIGITS:] != digits[-_LAST_DIGITS:]:
            raise answer.unreadable("about another number than the one asked for")
        can_receive = reading.flag(answer.object().get("canReceiveMessage"))
        if can_receive is None:
            raise answer.unreadable("without true or false in 'canReceiveMessage'")
        return can_receive

    def check_all_whatsapp(self, channel_id: str, numbers: Iterable[str]) -> Iterator[tuple[str, bool]]:
        """
        Yield each number, in order, and whether it can get a WhatsApp message from a channel.

        A request is about one number, and four are under way at once.

        :param channel_id: The channel's id.
        :param numbers: The numbers with their country codes, taken as they are asked for.
        :raises InvalidRequest: While walking: one is no such number.
        """

        def check(number: str) -> tuple[str, bool]:
            return number, self.check_whatsapp(channel_id, number)

        return in_order((partial(check, number) for number in numbers), REQUESTS_IN_FLIGHT)


def digits_of(number: Any) -> str:
    """
    Return a number as Kinbox takes it: its digits alone.

    :raises InvalidRequest: It is no text of digits; does not tell it.
    """
    digits = number.strip().removeprefix("+") if isinstance(number, str) else ""
    if not digits.isascii() or not digits.isdecimal():
        raise InvalidRequest("number must be a text of digits: the phone number with its country code.")
    return digits
