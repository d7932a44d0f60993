# ruff: noqa: RUF001 names and surnames are Russian too
"""Recognisers of personal data: what a sample of a column looks like, by checksums, shapes, names and dictionaries.

A recogniser proposes; a person confirms. Sources: Luhn (ISO/IEC 7812-1 annex B), IBAN (ISO 13616, mod 97-10),
INN and SNILS (orders of the Russian tax and pension services), E.164 for telephone numbers.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

# A kind is proposed when at least this share of the sampled values looks like it.
ENOUGH = 0.7
# With a telling column name, fewer will do.
ENOUGH_WITH_NAME = 0.3

_EMAIL = re.compile(r"[^\s@]{1,64}@[A-Za-z0-9\u0400-\u04ff-]+(\.[A-Za-z0-9\u0400-\u04ff-]+)+")
_PHONE = re.compile(r"(\+\d[\d\s().-]{8,18}\d|\(?\d{3,4}\)?[\s.-]\d{2,4}([\s.-]\d{2,4}){1,3}|[78]9\d{9})")
_PASSPORT = re.compile(r"\d{2}\s?\d{2}\s?(No|№|N)?\s?\d{6}")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
_WORD = re.compile(r"[A-ZА-ЯЁ][a-zа-яё]+(['-][A-ZА-ЯЁa-zа-яё]+)*\.?|[A-ZА-ЯЁ]\.")
_SURNAME_END = re.compile(
    r".+(ов|ев|ёв|ин|ын|ский|цкий|ова|ева|ёва|ина|ына|ская|цкая|енко|ук|юк|ov|ev|ova|eva|sky|skaya|enko|"
    r"son|sen|man|ez|chen|ич|вна|ична)",
    re.IGNORECASE,
)
_GIVEN_NAMES = """
    anna boris vera oleg irina pavel olga rita maria elena ivan petr sergey dmitry alexey andrey nikolay mikhail
    natalia tatiana svetlana ekaterina yulia james john robert michael william david richard thomas mary patricia
    jennifer linda elizabeth barbara susan jessica sarah karen wei ming hui ling mei jun yan li wang chen lin
    анна борис вера олег ирина павел ольга рита мария елена иван пётр петр сергей дмитрий алексей андрей николай
    михаил наталья татьяна светлана екатерина юлия александр александра владимир виктор людмила галина
"""
_GIVEN = frozenset(_GIVEN_NAMES.split())
_COUNTRY_IBAN = {
    "AE": 23, "AT": 20, "AZ": 28, "BE": 16, "BG": 22, "BY": 28, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18,
    "EE": 20, "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GE": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IL": 23,
    "IT": 27, "KZ": 20, "LT": 20, "LU": 20, "LV": 21, "MD": 24, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24,
    "RS": 22, "SA": 24, "SE": 24, "SI": 19, "SK": 24, "TR": 26, "UA": 29,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """What a column seems to hold: the kind ("" for nothing personal), the share of values that fit, and why."""

    kind: str
    share: float
    by: str


def luhn(digits: str) -> bool:
    """Whether a digit string passes ISO/IEC 7812-1's check."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_card(text: str) -> bool:
    digits = re.sub(r"[\s-]", "", text)
    return digits.isdecimal() and 13 <= len(digits) <= 19 and digits[0] in "23456" and luhn(digits)


def is_iban(text: str) -> bool:
    """ISO 13616: the country's length, and the rearranged number is 1 modulo 97."""
    number = re.sub(r"\s", "", text).upper()
    if not _IBAN.fullmatch(number) or len(number) != _COUNTRY_IBAN.get(number[:2], len(number)):
        return False
    return int("".join(str(int(letter, 36)) for letter in number[4:] + number[:4])) % 97 == 1


def is_inn(text: str) -> bool:
    """A taxpayer number of 10 or 12 digits with its one or two check digits."""
    if not re.fullmatch(r"\d{10}|\d{12}", text) or set(text) == {"0"}:
        return False
    weights = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
    numbers = [int(digit) for digit in text]

    def check(upto: int) -> int:
        return sum(a * b for a, b in zip(weights[-upto:], numbers, strict=False)) % 11 % 10

    if len(text) == 10:
        return check(9) == numbers[9]
    return check(10) == numbers[10] and check(11) == numbers[11]


def is_snils(text: str) -> bool:
    """A pension number: nine digits and two of a check sum."""
    digits = re.sub(r"[\s-]", "", text)
    if not re.fullmatch(r"\d{11}", digits) or int(digits[:9]) <= 1_001_998:
        return False
    total = sum(int(digit) * (9 - place) for place, digit in enumerate(digits[:9]))
    return int(digits[9:]) == (total if total < 100 else total % 101 % 100)


def is_email(text: str) -> bool:
    return len(text) <= 254 and bool(_EMAIL.fullmatch(text))


def is_phone(text: str) -> bool:
    return bool(_PHONE.fullmatch(text)) and 10 <= sum(letter.isdecimal() for letter in text) <= 15


def is_passport(text: str) -> bool:
    return bool(_PASSPORT.fullmatch(text))


def is_full_name(text: str) -> bool:
    """Two to four capitalised words, one of which is a known given name or has a surname's ending."""
    words = text.split()
    if not 2 <= len(words) <= 4 or not all(_WORD.fullmatch(word) for word in words):
        return False
    return any(word.lower() in _GIVEN or bool(_SURNAME_END.fullmatch(word)) for word in words)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recogniser:
    kind: str
    fits: Callable[[str], bool]
    name: re.Pattern[str]
    # Shapes without a check sum (ten digits) need a telling name to count.
    needs_name: bool = False


def _named(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(^|_)({pattern})($|_|\d)", re.IGNORECASE)


_RECOGNISERS = (
    _Recogniser(kind="email", fits=is_email, name=_named("e_?mail|mail|почта")),
    _Recogniser(kind="iban", fits=is_iban, name=_named("iban")),
    _Recogniser(kind="card", fits=is_card, name=_named("card|pan|card_(number|no)")),
    _Recogniser(kind="snils", fits=is_snils, name=_named("snils|снилс")),
    _Recogniser(kind="inn", fits=is_inn, name=_named("inn|инн|tax_id")),
    _Recogniser(kind="phone", fits=is_phone, name=_named("phone|mobile|tel|msisdn|телефон")),
    _Recogniser(kind="passport", fits=is_passport, name=_named("passport|паспорт"), needs_name=True),
    _Recogniser(kind="full_name", fits=is_full_name, name=_named("full_?name|fio|фио|name|surname|client_name")),
)
_BIRTH = _named("birth|born|birth_?date|date_of_birth|dob")


def recognise(column: str, values: Sequence[str | None]) -> Recognition:
    """What a sampled column seems to hold.

    `values` are texts (numbers and dates as text), None for null. Checksummed kinds come before shapes, so that a card
    number is not taken for a telephone number.
    """
    present = [value.strip() for value in values if value and value.strip()]
    if _BIRTH.search(column):
        return Recognition(kind="birth_date", share=1.0 if present else 0.0, by="column name")
    if not present:
        return Recognition(kind="", share=0.0, by="no values")
    for one in _RECOGNISERS:
        told = bool(one.name.search(column))
        if one.needs_name and not told:
            continue
        share = sum(map(one.fits, present)) / len(present)
        if share >= (ENOUGH_WITH_NAME if told else ENOUGH):
            return Recognition(kind=one.kind, share=share, by="values and column name" if told else "values")
    return Recognition(kind="", share=0.0, by="nothing personal found")
