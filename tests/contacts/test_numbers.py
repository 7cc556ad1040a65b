"""Phone numbers: what people write in a cell is E.164 or broken, and every spelling of one number is one person."""

from __future__ import annotations

import random
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import phonenumbers
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_campaigns.contacts import numbers
from airflow_provider_campaigns.contacts.numbers import NoNumber, read_as_given, read_number

#: Other tests run at the same time.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
ANA = "+5511999990001"
#: One number as people and spreadsheets spell it; the guide's table is made of these.
SPELLINGS = {
    "plain": ANA,
    "blanks": "+55 11 99999 0001",
    "brackets and a dash": "+55 (11) 99999-0001",
    "dots": "+55.11.99999.0001",
    "bracketed country code": "(+55) 11 99999-0001",
    "blanks around it": f"  {ANA}\t",
    "no-break spaces": "+55\u00a011\u202f99999\u20110001",
    "a leading apostrophe": f"'{ANA}",
    "a formula": f'="{ANA}"',
    "a formula without quotes": f"={ANA}",
    "quotes": f'"{ANA}"',
    "invisible marks": f"\ufeff\u200e{ANA}\u200b",
    "embedded in directions": f"\u202a{ANA}\u202c",
    "full-width digits": "\uff0b\uff15\uff15\uff11\uff11\uff19\uff19\uff19\uff19\uff19\uff10\uff10\uff10\uff11",
    "a trunk prefix": "+55 (0) 11 99999-0001",
    "an en dash": "+55 11 99999\u20130001",
}
#: The same number without a plus, which only its country makes a number.
NATIONAL = {
    "with its country code": "5511999990001",
    "without it": "11999990001",
    "formatted": "(11) 99999-0001",
    "with a trunk prefix": "011 99999-0001",
    "with a carrier": "0 21 11 99999-0001",
    "a whole number": 11999990001,
    "a Decimal": Decimal("5511999990001"),
}
BROKEN = {
    "nothing": ("", "it is empty"),
    "blanks": ("  \u00a0", "it is empty"),
    "None": (None, "it is empty"),
    "a dash": ("-", "it has no digits"),
    "scientific notation": ("5.5119E+12", "scientific notation"),
    "scientific notation with a comma": ("5,5119E+12", "scientific notation"),
    "a float": (5511999990001.0, "decimal number"),
    "a zero after a point": ("5511999990001.0", "decimal number"),
    "a zero after a comma": (f"{ANA},0", "decimal number"),
    "zeros after a point": ("5511999990001.00", "decimal number"),
    "two numbers and a slash": (f"{ANA}/+5511999990002", "two numbers"),
    "two numbers and a semicolon": (f"{ANA}; +5511999990002", "two numbers"),
    "two numbers and a word": (f"{ANA} ou +5511999990002", "two numbers"),
    "two numbers and a blank": (f"{ANA} +5511999990002", "two numbers"),
    "two numbers in two lines": (f"{ANA}\n+5511999990002", "two numbers"),
    "two numbers with one plus": (f"{ANA} 5511999990002", "more digits than any phone number"),
    "a word": ("Total", "words"),
    "a header": ("contact", "words"),
    "an e-mail address": ("ana99@example.com", "an e-mail address"),
    "a WhatsApp id": ("5511999990001@s.whatsapp.net", "a WhatsApp id"),
    "an extension": ("+14155550100 x12", "an extension"),
    "an extension in words": ("+1 (415) 555-0101 ext. 9", "an extension"),
    "an extension in Portuguese": ("+55 11 3333-4444 ramal 22", "an extension"),
    "a letter O": ("+55119999O0001", "letters among the digits"),
    "vanity": ("+1-800-FLOWERS", "letters among the digits"),
    "a star": ("*190#", "characters that belong to no phone number"),
    "a short code with a plus": ("+55190", "too few digits"),
    "no area code": ("+55 99999-0001", "too few digits"),
    "a digit too many": (f"{ANA}1", "too many digits"),
    "a length in between": ("+2621234567", "digits"),
    "no such country": ("+999123456789", "no country code"),
    "a zero after the plus": ("+0123456789", "no country code"),
    "a plus alone": ("+", "a plus"),
    "a plus at the end": ("5511999990001+", "a plus"),
    "toll-free": ("+558007770000", "toll-free"),
    "toll-free everywhere": ("+80012345678", "toll-free"),
    "a book": ("+55 " + "1" * 300, "longer than any phone number"),
    "a placeholder": ("+5511111111111", "one digit over and over"),
    "zeros": ("+520000000000", "one digit over and over"),
    "a boolean": (True, "not a value of type bool"),
    "bytes": (b"+5511999990001", "not a value of type bytes"),
}
OF_NO_COUNTRY = {
    **{name: cell for name, cell in NATIONAL.items() if name != "a Decimal"},
    "of Peru, or of Brazil": "51999990000",
}
NOT_OF_BRAZIL = {
    "a short code": ("190", "no number of BR"),
    "toll-free": ("0800123456", "toll-free"),
    "toll-free and long": ("08007770000", "toll-free"),
    "a placeholder": ("99999999999", "one digit over and over"),
    "Mexico's": ("5215512345678", "no number of BR"),
    "no area code": ("99999-0001", "no number of BR"),
    "an exit code and no carrier": ("005511999990001", "begins with 00"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_formatting_is_taken_off_and_counted(spelling: str) -> None:
    number = read_number(SPELLINGS[spelling])
    assert (number.text, number.was_formatted) == (ANA, spelling != "plain")


GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "contacts.md"


def table(heading: str) -> list[tuple[list[str], str]]:
    """Return the rows of one of the guide's tables: what is spelled in the first cell, and the second cell."""
    rows = GUIDE.read_text().partition(f"| {heading} |")[2].partition("\n\n")[0].splitlines()[2:]
    cells = [row.strip("| ").split(" | ") for row in rows]
    return [(re.findall(r"`([^`]+)`", spelled), told) for spelled, told in cells]


def test_the_guide_s_spellings_are_read_as_it_says() -> None:
    for spelled, told in table("spelling"):
        country = next((one.strip('"') for one in spelled if re.fullmatch(r'"[A-Z]{2}"', one)), None)
        assigned = [one.partition('="')[2].strip('"') for one in spelled if one.startswith("default_country=")]
        for cell in spelled:
            if not re.search(r"\d{3}", cell):
                continue
            if "broken" in told:
                with pytest.raises(NoNumber, match="no country code"):
                    read_number(cell)
                assert read_number(cell, "BR").text == ANA
            else:
                of = country if country and cell.startswith("011") else (assigned or [None])[0]
                expected = re.findall(r"`(\+\d+)`", told) or [ANA]
                assert read_number(cell, of).text in (*expected, ANA, "+4915112345678")


def test_the_guide_s_broken_cells_are_broken() -> None:
    cells = [cell for spelled, _ in table("in the cell") for cell in spelled if re.search(r"\d{4}|Total", cell)]
    assert len(cells) >= 4
    for cell in cells:
        with pytest.raises(NoNumber):
            read_number(cell, "BR")


@pytest.mark.parametrize("spelling", NATIONAL)
def test_a_number_without_a_plus_is_read_as_its_country_writes_it(spelling: str) -> None:
    assert read_number(NATIONAL[spelling], "BR").text == ANA


@pytest.mark.parametrize("kind", OF_NO_COUNTRY)
def test_a_number_without_a_plus_is_broken_where_no_country_is_given(kind: str) -> None:
    with pytest.raises(NoNumber, match=r"no country code: write \+ .* default_country"):
        read_number(OF_NO_COUNTRY[kind])


@pytest.mark.parametrize("country", [None, "BR"])
def test_an_exit_code_is_no_country_code(country: str | None) -> None:
    with pytest.raises(NoNumber, match="begins with 00"):
        read_number("0055 11 99999-0001", country)


@pytest.mark.parametrize("country", [None, "BR"])
@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_no_number_is_refused_by_name_and_not_repeated(kind: str, country: str | None) -> None:
    cell, said = BROKEN[kind]
    with pytest.raises(NoNumber, match=said) as refused:
        read_number(cell, country)
    assert len(str(cell)) < 5 or str(cell) not in str(refused.value)


@pytest.mark.parametrize("kind", NOT_OF_BRAZIL)
def test_what_is_no_number_of_the_country_is_refused(kind: str) -> None:
    cell, said = NOT_OF_BRAZIL[kind]
    with pytest.raises(NoNumber, match=said):
        read_number(cell, "BR")


@pytest.mark.parametrize(
    ("cell", "country", "e164"),
    [
        ("(415) 555-0100", "US", "+14155550100"),
        ("1 415 555 0100", "US", "+14155550100"),
        ("011 55 11 99999-0001", "US", ANA),
        ("0151 12345678", "DE", "+4915112345678"),
        ("0049 151 12345678", "DE", "+4915112345678"),
        ("+49 (0)151 12345678", None, "+4915112345678"),
        ("55 1234 5678", "MX", "+525512345678"),
        ("06 1234 5678", "IT", "+390612345678"),
        ("+5511999990001", "MX", ANA),
    ],
)
def test_countries_write_numbers_in_their_own_ways(cell: str, country: str | None, e164: str) -> None:
    assert read_number(cell, country).text == e164


@pytest.mark.parametrize(
    "spellings",
    [
        ["+5511999990001", "+551199990001"],
        ["+5585988887777", "+558588887777"],
        ["+525512345678", "+5215512345678"],
        ["+528112345678", "+5218112345678"],
    ],
)
def test_the_old_and_the_new_spelling_of_a_mobile_are_one_person(spellings: list[str]) -> None:
    # Each is handed over as it is spelled: which one a platform knows is not ours to say.
    assert [read_number(one).text for one in spellings] == spellings
    assert len({read_number(one).person for one in spellings}) == 1
    assert len({read_as_given(one.lstrip("+")).person for one in spellings}) == 1


def test_landlines_and_other_people_are_not_taken_for_one() -> None:
    people = ["+551133334444", "+5511933334444", "+5511999990001", "+5511999990002", "+525512345678", "+525512345679"]
    assert len({read_number(one).person for one in people}) == len(people)


@UNHURRIED
@given(st.integers(0, 9_999_999_999), st.sampled_from(["-", " ", "", ".", "\u00a0", "\u200b"]), st.randoms())
def test_every_formatting_of_a_number_gives_the_same(number: int, mark: str, chance: random.Random) -> None:
    plain = f"+52{number:010d}"
    try:
        expected: Any = read_number(plain)[:2]
    except NoNumber:
        expected = None
    place = chance.randrange(1, len(plain) - 1)
    spelled = chance.choice(["{}", " {} ", "'{}", '="{}"', "\ufeff{}"]).format(plain[:place] + mark + plain[place:])
    try:
        found: Any = read_number(spelled)[:2]
    except NoNumber:
        found = None
    assert found == expected or spelled[-2:-1] == "." or mark == "."


def examples() -> list[tuple[str, str]]:
    found = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE):
            number = phonenumbers.example_number_for_type(region, kind)
            if number:
                e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
                found.append((region, e164))
    return found


def test_numbers_of_every_country_are_read_in_all_the_ways_that_the_library_writes_them() -> None:
    forms = phonenumbers.PhoneNumberFormat
    for region, e164 in examples():
        number = phonenumbers.parse(e164)
        assert read_number(e164).text == e164
        assert read_number(phonenumbers.format_number(number, forms.INTERNATIONAL)).text == e164
        national = phonenumbers.format_number(number, forms.NATIONAL)
        if phonenumbers.is_valid_number_for_region(phonenumbers.parse(national, region), region):
            assert read_number(national, region).text == e164, (region, national)


@UNHURRIED
@given(st.sampled_from(examples()), st.lists(st.tuples(st.integers(0, 14), st.integers(0, 9)), max_size=4), st.data())
def test_the_short_way_finds_what_the_library_finds(
    example: tuple[str, str], changes: list[tuple[int, int]], data: st.DataObject
) -> None:
    region, e164 = example
    digits = list(e164[1:])
    for place, digit in changes:
        digits[place % len(digits)] = str(digit)
    text = "".join(digits)
    plus = data.draw(st.booleans())
    given_country = None if plus else region
    try:
        mine = read_number(f"+{text}" if plus else text, given_country).text
    except NoNumber:
        return
    library = phonenumbers.parse(f"+{text}" if plus else text, given_country)
    found = phonenumbers.format_number(library, phonenumbers.PhoneNumberFormat.E164)
    assert mine == found or mine.startswith("+521")


@UNHURRIED
@given(
    st.one_of(
        st.text(), st.integers(), st.floats(), st.binary(), st.none(), st.decimals(), st.text("+0123456789 ()-.,;/xeE@")
    )
)
def test_any_cell_is_a_number_or_refused(cell: Any) -> None:
    for country in (None, "BR", "US"):
        try:
            number = read_number(cell, country)
        except NoNumber:
            continue
        assert number.text[0] == "+"
        assert number.text[1:].isascii()
        assert number.text[1:].isdecimal()
        assert read_number(number.text).person == number.person


def test_a_number_goes_as_given_where_that_is_asked_for() -> None:
    for cell in ("0151 12345678", "+49 151 12345678", "5511999990001", "190"):
        assert read_as_given(cell).text == cell
    assert read_as_given("+14155550100").person == read_as_given("14155550100").person
    for kind in ("a word", "an e-mail address", "two numbers and a slash", "scientific notation", "nothing"):
        with pytest.raises(NoNumber):
            read_as_given(BROKEN[kind][0])


def as_read(cell: str, region: str) -> str:
    """Return what a number is read as, or why it is none."""
    try:
        return str(read_number(cell, region))
    except NoNumber as flaw:
        return str(flaw)


def test_a_trunk_prefix_is_taken_off_without_the_library_only_where_it_does_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chance = random.Random(20261125)
    kinds = [phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE]
    shown = {
        region: [phonenumbers.national_significant_number(one) for one in found]
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
        if (found := [one for kind in kinds if (one := phonenumbers.example_number_for_type(region, kind))])
    }
    cells = []
    for _ in range(2_500):
        region = chance.choice(sorted(shown))
        code = str(phonenumbers.country_code_for_region(region))
        trunk = getattr(phonenumbers.PhoneMetadata.metadata_for_region(region), "national_prefix", None) or "0"
        digits = list(chance.choice(shown[region]))
        for _ in range(chance.choice((0, 0, 1, 2, 4))):
            digits[chance.randrange(len(digits))] = chance.choice("0123456789")
        # The code before, after and within: what may be a code and what may be an area is where readers differ.
        before = chance.choice((trunk, trunk, "0", "8", "90", "015", f"{trunk}{code}", code))
        cells.append((f"{before}{''.join(digits)}", region))
    quick = [as_read(*cell) for cell in cells]
    calls = []
    shortcut = numbers._without_trunk
    monkeypatch.setattr(numbers, "_without_trunk", lambda *given: calls.append(shortcut(*given)))
    assert quick == [as_read(*cell) for cell in cells]
    assert sum(call is not None for call in calls) > 100


def test_a_number_is_judged_the_same_however_it_is_spelled() -> None:
    # E.164 is judged by one pattern for its country, all else step by step.
    chance = random.Random(7)
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        example = phonenumbers.example_number_for_type(regions[0], phonenumbers.PhoneNumberType.MOBILE)
        national = str(example.national_number) if example else "123456789"
        for _ in range(20):
            digits = list(national)
            digits[chance.randrange(len(digits))] = chance.choice("0123456789")
            digits.insert(chance.randrange(len(digits)), chance.choice(("", "", "0", "1", "15")))
            number = f"+{code}{''.join(digits)}"
            assert judged(number) == judged(f" {number}"), number


def judged(cell: str) -> tuple[str, int] | str:
    """Return a number and its person, or why it is none."""
    try:
        return read_number(cell)[:2]
    except NoNumber as flaw:
        return str(flaw)
