"""Phone numbers: what a cell holds, as E.164 and as one person, or why it is no number; the one module that decides."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumber

from airflow_provider_campaigns.api.errors import InvalidRequest

#: E.164 allows no more digits; a cell with an exit code and a carrier before them may have a few more.
MAX_DIGITS = 15
_MAX_DIALLED_DIGITS = 20
_MAX_CHARACTERS = 200
#: What some countries dial before a country code and nothing else; Brazil dials a carrier after its 00.
_EXIT_CODES = ("00", "011")
_EXIT_CODE_FLAW = "it begins with 00, which not every country dials: write + and the country code instead"

_FORMULA = re.compile(r"=\s*(?:\"(.*)\"|(.*))", re.DOTALL)
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE][+-]?\d+")
_DECIMAL = re.compile(r".*[.,]\d|[^.,]*[.,]\d{2,3}", re.DOTALL)
_EXTENSION = re.compile(
    r".*\d\s*[-,;(]?\s*(?:#|x|ext|extn|extension|ramal|anexo|interno)\W*\d{1,6}\W*", re.I | re.DOTALL
)
_BETWEEN_NUMBERS = re.compile(r"[/;,|&\r\n]|\s(?:and|or|e|y|o|ou)\s", re.I)
_APOSTROPHES = "'\u2018\u2019\u00b4`"
_MINUS = "\u2212"

#: The old and the new spelling of one mobile, by country code: Brazil's without and with the ninth digit, Mexico's 521
#: and 52.
_OLD_SPELLINGS = {
    "55": (re.compile(r"\+55([1-9][0-9])([6-9][0-9]{7})"), r"+55\g<1>9\g<2>"),
    "52": (re.compile(r"\+521([0-9]{10})"), r"+52\g<1>"),
}
#: The kinds of numbers that a person has, and those that nobody has.
_PERSONS = ("fixed_line", "mobile", "voip", "personal_number")
_SERVICES = ("toll_free", "premium_rate", "shared_cost", "uan", "voicemail", "pager")


class NoNumber(InvalidRequest):
    """A cell holds no phone number that can be handed over; says why and what to do, and never what it holds."""


class Number(NamedTuple):
    """
    A phone number.

    :param text: What is handed over.
    :param person: The same for all spellings of one number, fit for a set of a million.
    :param was_formatted: Whether formatting was taken off.
    """

    text: str
    person: int
    was_formatted: bool


def read_number(cell: Any, default_country: str | None = None) -> Number:
    """
    Return the phone number that a cell holds, in E.164 with its plus.

    Blanks, dashes, brackets, dots, a leading apostrophe, ``="..."``, invisible marks and full-width digits are taken
    off. A number with a plus must have a length that its country uses; one without must be a number of
    ``default_country``, since that is how it was read.

    :param cell: A text, or a whole number.
    :param default_country: The country of numbers without a country code (ISO 3166, such as ``BR``), or None: such
        numbers are refused.
    :raises NoNumber: Says why and what to do.
    """
    if type(cell) is str and _is_plain(cell):
        return Number(cell, int(cell), False)
    digits, was_formatted = _digits(cell)
    if _is_plain(digits):
        return Number(digits, int(digits), was_formatted)
    e164 = _international(digits) if digits[0] == "+" else _national(digits, default_country)
    return Number(e164, int(_one_spelling(e164)), was_formatted)


def _is_plain(text: str) -> bool:
    """Whether a text is E.164 as it should be, which most cells of most files are, and one pattern tells."""
    plan = _plan_of(text[1:4])
    return plan is not None and plan.plain.fullmatch(text) is not None


def read_as_given(cell: Any, default_country: str | None = None) -> Number:
    """
    Return the phone number that a cell holds, as it is written there.

    :param cell: A text, or a whole number.
    :param default_country: As for :func:`read_number`; it only decides which spellings are one person.
    :raises NoNumber: It holds what no platform could dial: words, two numbers, scientific notation.
    """
    digits, _ = _digits(cell)
    try:
        person = read_number(cell, default_country).person
    except NoNumber:
        # With and without a plus, the same digits are one number to a vendor.
        bare = digits.lstrip("+")
        person = -int(f"1{bare}") if bare[0] == "0" else int(_one_spelling(f"+{bare}"))
    return Number(cell if isinstance(cell, str) else digits, person, False)


def time_zones(e164: str) -> tuple[str, ...]:
    """
    Return the time zones that a number may be in, as IANA names them; none where that is not known.

    :param e164: As :func:`read_number` returns it.
    """
    from phonenumbers import timezone

    zones = timezone.time_zones_for_number(_parsed(_one_spelling(e164), None))
    return () if zones == (timezone.UNKNOWN_TIMEZONE,) else tuple(zones)


def supported_country(code: str) -> str | None:
    """Return an ISO 3166 code in capitals if there are phone numbers of that country, else None."""
    return code.upper() if code.upper() in phonenumbers.SUPPORTED_REGIONS else None


def _one_spelling(e164: str) -> str:
    # Two digits tell: no country code that is longer begins with these.
    spelling = _OLD_SPELLINGS.get(e164[1:3])
    found = spelling and spelling[0].fullmatch(e164)
    return found.expand(spelling[1]) if spelling and found else e164


def _digits(cell: Any) -> tuple[str, bool]:
    """Return the digits of a cell, with a plus before them if it has one, and whether anything was taken off."""
    text = _text(cell)
    bare = text.strip()
    if len(bare) > _MAX_CHARACTERS:
        raise NoNumber("it is longer than any phone number: is it the right column?")
    formula = _FORMULA.fullmatch(bare)
    if formula:
        bare = formula[1] if formula[1] is not None else formula[2]
    bare = bare.strip().lstrip(_APOSTROPHES).strip('"')
    digits = bare.translate(_KEPT)
    if not digits:
        raise NoNumber("it is empty: give the phone number" if not bare else "it has no digits: give the phone number")
    if not bare.isdecimal():
        _refuse_what_is_no_number(bare, digits)
    if len(digits) > _MAX_DIALLED_DIGITS or (digits[0] == "+" and len(digits) - 1 > MAX_DIGITS):
        raise NoNumber("it has more digits than any phone number; is it two numbers? Give each a row of its own")
    return digits, digits != text


def _text(cell: Any) -> str:
    if isinstance(cell, str):
        return cell
    if cell is None:
        raise NoNumber("it is empty: give the phone number")
    if isinstance(cell, int) and not isinstance(cell, bool):
        return str(cell)
    if isinstance(cell, Decimal) and cell.is_finite() and cell == cell.to_integral_value():
        return f"{cell:.0f}"
    if isinstance(cell, float):
        raise NoNumber(
            "it is a decimal number, which spreadsheets and data frames make of phone numbers: keep it as text"
        )
    raise NoNumber(f"it must be a text such as +5511999990000, not a value of type {type(cell).__name__}")


class _Kept(dict[int, str]):
    """What becomes of each character: digits and plus stay, formatting goes, all else becomes a null byte."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        kind = unicodedata.category(letter)
        if kind == "Nd":
            kept = str(unicodedata.decimal(letter))
        elif letter in "+\uff0b\ufe62":
            kept = "+"
        elif kind in ("Zs", "Cf", "Pd") or letter in "\t()[].\uff08\uff09\uff0e\u00b7\u2022" + _MINUS:
            kept = ""
        else:
            kept = "\0"
        if code < 0x3000:
            self[code] = kept
        return kept


_KEPT = _Kept()


def _refuse_what_is_no_number(bare: str, digits: str) -> None:
    if _SCIENTIFIC.fullmatch(bare):
        raise NoNumber(
            "it is in scientific notation, and digits are lost: format the column as text and export it again"
        )
    if _DECIMAL.fullmatch(bare):
        raise NoNumber("it is a decimal number (digits after a point): format the column as text and export it again")
    if "\0" in digits:
        raise NoNumber(_why_not(bare))
    if digits.count("+") > 1:
        raise NoNumber("it is two numbers: give each a row of its own")
    if digits.find("+") > 0 or digits == "+":
        raise NoNumber("it has a plus that no digits follow or that is not at its beginning")


def _why_not(bare: str) -> str:
    count = sum(map(str.isdecimal, bare))
    if "@" in bare:
        whatsapp = bare.rstrip().endswith(("@s.whatsapp.net", "@c.us", "@g.us", "@lid"))
        what = "a WhatsApp id" if whatsapp else "an e-mail address"
        return f"it is {what}: give the phone number, such as +5511999990000"
    if not count:
        return "it is words, no phone number (a total, a note or a second header?)"
    if _EXTENSION.fullmatch(bare):
        return "it has an extension, which a campaign cannot reach: give a number without one"
    if sum(sum(map(str.isdecimal, part)) > 5 for part in _BETWEEN_NUMBERS.split(bare)) > 1:
        return "it is two numbers: give each a row of its own"
    if any(map(str.isalpha, bare)):
        return "it has letters among the digits (a name, a link, or the letter O for a zero?)"
    return "it has characters that belong to no phone number"


class _Plan(NamedTuple):
    """
    Facts about a country code.

    :param code: Its digits.
    :param lengths: How many digits a person's number has after it.
    :param trunk: What is dialled before such a number within the country, and is no part of it.
    :param services: Numbers that belong to no person.
    :param plain: Numbers in E.164 that none of the checks in :func:`_international` would change or refuse, in the one
        spelling that they have.
    """

    code: str
    lengths: frozenset[int]
    trunk: re.Pattern[str] | None
    services: re.Pattern[str] | None
    plain: re.Pattern[str]


@lru_cache(maxsize=512)
def _plan(code: str) -> _Plan | None:
    regions = [
        about
        for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code), ())
        if (about := _about(region, code))
    ]
    if not regions:
        return None
    kinds = [getattr(about, name) for about in regions for name in _PERSONS]
    # Where all kinds have the same lengths, only the description of them all tells which.
    lengths = {n for kind in kinds if kind for n in kind.possible_length or regions[0].general_desc.possible_length}
    kinds = [getattr(regions[0], name) for name in _SERVICES]
    services = "|".join(
        f"(?:{kind.national_number_pattern})" for kind in kinds if kind and kind.national_number_pattern
    )
    trunk = regions[0].national_prefix_for_parsing
    return _Plan(
        code,
        frozenset(lengths),
        re.compile(trunk) if trunk else None,
        re.compile(services) if services else None,
        _plain(code, lengths, trunk, services),
    )


def _plain(code: str, lengths: Collection[int], trunk: str | None, services: str) -> re.Pattern[str]:
    """Return the pattern of numbers that need nothing done; one that it leaves out is only looked at more closely."""
    # Argentina's prefix may be empty, which means no prefix.
    unlike = [rf"(?:{trunk})(?<!\A\+{code})"] if trunk else []
    unlike += [rf"(?:{services})\Z"] if services else []
    unlike.append(r"(?P<digit>[0-9])(?P=digit)*\Z")
    fitting = [length for length in sorted(lengths) if len(code) + length <= MAX_DIGITS]
    national = "|".join(f"[0-9]{{{length}}}" for length in fitting) or "(?!)"
    old = rf"(?!{_OLD_SPELLINGS[code][0].pattern}\Z)" if code in _OLD_SPELLINGS else ""
    return re.compile(rf"{old}\+{code}(?!{'|'.join(unlike)})(?:{national})")


def _about(region: str, code: str) -> Any:
    if region == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY:
        return PhoneMetadata.metadata_for_nongeo_region(int(code))
    return PhoneMetadata.metadata_for_region(region)


@lru_cache(maxsize=1024)
def _plan_of(beginning: str) -> _Plan | None:
    """Return the plan of a number by its first three digits; country codes have one to three, none begins another."""
    if not beginning.isdecimal() or beginning[0] == "0":
        return None
    return next((plan for end in range(1, len(beginning) + 1) if (plan := _plan(beginning[:end]))), None)


def _international(digits: str) -> str:
    """Return a number that has its plus as E.164."""
    plan = _plan_of(digits[1:4])
    if plan is None:
        raise NoNumber("there is no country code like its first digits: write + and the country code before the number")
    begin = 1 + len(plan.code)
    trunk = plan.trunk.match(digits, begin) if plan.trunk else None
    # The library takes longer than all else, and only a trunk prefix such as the (0) of +49 (0)151 needs it.
    e164 = _e164(_parsed(digits, None)) if trunk and trunk.end() > begin else digits
    national = _one_spelling(e164)[begin:]
    if not plan.lengths or (plan.services and plan.services.fullmatch(national)):
        raise NoNumber("it is a toll-free or service number, not a person's")
    if len(national) not in plan.lengths:
        raise NoNumber(_length_flaw(len(national), plan))
    _refuse_placeholder(national)
    return e164


def _refuse_placeholder(national: str) -> None:
    if national.count(national[0]) == len(national):
        raise NoNumber("it is one digit over and over, which stands for no number")


def _length_flaw(length: int, plan: _Plan) -> str:
    if length < min(plan.lengths):
        return f"it has too few digits for a number of +{plan.code} (a short code, or the area code is missing)"
    if length > max(plan.lengths):
        return f"it has too many digits for a number of +{plan.code}"
    return f"no number of +{plan.code} has so many digits"


class _Country(NamedTuple):
    """Facts about a country whose numbers are written without its code."""

    code: str
    exit: re.Pattern[str]
    trunk: re.Pattern[str]
    all: re.Pattern[str]
    persons: re.Pattern[str]
    transforms: bool


@lru_cache(maxsize=16)
def _country(region: str) -> _Country:
    about: Any = PhoneMetadata.metadata_for_region(region)
    kinds = [kind.national_number_pattern for name in _PERSONS if (kind := getattr(about, name))]
    return _Country(
        str(about.country_code),
        re.compile(about.international_prefix or "(?!)"),
        re.compile(about.national_prefix_for_parsing or "(?!)"),
        re.compile(about.general_desc.national_number_pattern),
        re.compile("|".join(f"(?:{kind})" for kind in kinds if kind)),
        bool(about.national_prefix_transform_rule),
    )


def _without_trunk(digits: str, trunk: re.Match[str] | None, country: _Country) -> str | None:
    """Return a number without the trunk prefix before it, where it is plain that the library would take it off."""
    if trunk is None or not trunk.end() or digits.startswith(country.code) or country.all.fullmatch(digits):
        return None
    if country.transforms and trunk.lastindex:
        return None
    rest = digits[trunk.end() :]
    # What begins with the country code once more may be either, and the library looks twice.
    if rest[:1] in ("", "0") or rest.startswith(country.code):
        return None
    return rest if country.persons.fullmatch(rest) else None


def _national(digits: str, default_country: str | None) -> str:
    """Return a number without a plus as E.164, read as one of a country."""
    if default_country is None:
        if digits.startswith("00"):
            raise NoNumber(_EXIT_CODE_FLAW)
        raise NoNumber(
            "it has no country code: write + and the country code before it, or say with default_country whose it is"
        )
    country = _country(default_country)
    exit_code = country.exit.match(digits)
    if exit_code and exit_code.group() in _EXIT_CODES:
        return _international(f"+{digits[exit_code.end() :]}")
    if digits.startswith("00"):
        raise NoNumber(_EXIT_CODE_FLAW)
    # What the library would find as well, ten times faster: a number with nothing before it, or its country code only.
    with_code = digits.startswith(country.code) and not country.all.fullmatch(digits)
    begin = len(country.code) if with_code else 0
    trunk = country.trunk.match(digits, begin)
    if country.persons.fullmatch(digits, begin) and not exit_code and not (trunk and trunk.end() > begin):
        _refuse_placeholder(digits[begin:])
        return f"+{digits}" if with_code else f"+{country.code}{digits}"
    if not exit_code and (rest := _without_trunk(digits, trunk, country)):
        return _international(f"+{country.code}{rest}")
    e164 = _e164(_parsed(digits, default_country))
    if not e164.startswith(f"+{country.code}") or not (_is_in_use(e164) or _is_in_use(_one_spelling(e164))):
        raise NoNumber(
            f"it is no number of {default_country} (default_country); is a digit missing? A number of another country "
            "needs + and its country code"
        )
    return _international(e164)


def _parsed(text: str, country: str | None) -> PhoneNumber:
    try:
        return phonenumbers.parse(text, country)
    except NumberParseException:
        pass
    # The library's own error repeats the number.
    raise NoNumber("it is no phone number of any country: are digits missing?")


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _is_in_use(e164: str) -> bool:
    return phonenumbers.is_valid_number(_parsed(e164, None))
