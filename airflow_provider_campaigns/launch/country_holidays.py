"""The public holidays of a country, by the library holidays, which is loaded when a day is looked up."""

from __future__ import annotations

import datetime
import re
from collections.abc import Container
from dataclasses import dataclass
from functools import lru_cache

from airflow_provider_campaigns.api.errors import InvalidRequest

_CODE = re.compile(r"([A-Z]{2})(?:-([A-Z0-9]{1,3}))?")


@dataclass(frozen=True, slots=True)
class CountryHolidays:
    """
    The days that are public holidays in a country.

    :param code: ISO 3166 for the country, such as ``BR``, or for a part of it, such as ``US-CA``.
    """

    code: str

    @classmethod
    def read(cls, code: str) -> CountryHolidays:
        """
        Return the holidays of a code; whether the country is known shows when a day is looked up.

        :raises InvalidRequest: It is no code.
        """
        if not _CODE.fullmatch(code):
            raise InvalidRequest(
                "send_window: holidays must be a list of dates (YYYY-MM-DD) or the code of a country, such as 'BR' or "
                "'US-CA'."
            )
        return cls(code)

    def __contains__(self, day: object) -> bool:
        """
        Whether a day is one of them.

        :raises InvalidRequest: There is no such country, or the library is not installed.
        """
        return isinstance(day, datetime.date) and day in _holidays(self.code)

    def __str__(self) -> str:
        return f"those of {self.code}"


@lru_cache(maxsize=64)
def _holidays(code: str) -> Container[datetime.date]:
    country, _, part = code.partition("-")
    flaw = f"there are no holidays known of {code!r}."
    try:
        import holidays

        # It works out a year when one of its days is asked for.
        return holidays.country_holidays(country, subdiv=part or None)
    except ImportError:
        flaw = (
            "a country's holidays need the library holidays, which is not installed: pip install "
            "'airflow-provider-campaigns[audience]'."
        )
    except NotImplementedError:
        pass
    raise InvalidRequest(f"send_window: holidays: {flaw}")
