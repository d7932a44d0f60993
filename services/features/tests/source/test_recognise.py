# ruff: noqa: RUF001 names are Russian too
"""Recognisers against published numbers and against what merely looks like them (A30)."""

import pytest

from letopis.features.source.recognise import is_card, is_iban, is_inn, is_phone, is_snils, luhn, recognise


class TestNumbers:
    # Luhn: the example of ISO/IEC 7812-1 annex B; cards: test numbers that payment systems publish.
    def test_luhn(self):
        assert luhn("79927398713")
        assert not any(luhn(f"7992739871{digit}") for digit in "012456789")

    @pytest.mark.parametrize("number", ["4111 1111 1111 1111", "5500-0000-0000-0004", "2200770212727079"])
    def test_cards(self, number):
        assert is_card(number)
        assert not is_card(number[:-1] + str((int(number[-1]) + 1) % 10))

    # The registry's own examples (SWIFT IBAN registry).
    @pytest.mark.parametrize(
        "number", ["GB82 WEST 1234 5698 7654 32", "DE89370400440532013000", "KZ86125KZT5004100100"]
    )
    def test_ibans(self, number):
        assert is_iban(number)
        assert not is_iban(number.replace("1", "7", 1))

    # Numbers of public bodies: Sberbank, the tax service; a SNILS whose check sum is worked out in the order.
    @pytest.mark.parametrize("number", ["7707083893", "7707329152", "500100732259"])
    def test_taxpayer_numbers(self, number):
        assert is_inn(number)
        assert not is_inn(number[:-1] + str((int(number[-1]) + 1) % 10))

    def test_pension_numbers(self):
        assert is_snils("112-233-445 95")
        assert not is_snils("112-233-445 96")

    @pytest.mark.parametrize("text", ["+7 495 123-45-67", "+886-2-2345-6789", "(495) 123-45-67", "89161234567"])
    def test_phones(self, text):
        assert is_phone(text)

    @pytest.mark.parametrize("text", ["12345", "2005-04-01", "20000.0", "1234567890123", "-1", "account 12"])
    def test_what_is_no_phone(self, text):
        assert not is_phone(text)


@pytest.mark.parametrize(
    ("column", "values", "kind"),
    [
        ("full_name", ["Anna Petrova", "Chen Wei-Ling", "Boris Ivanov", None], "full_name"),
        ("client", ["Петрова Анна Сергеевна", "Иванов Борис", "Орлов П. С."], "full_name"),
        ("contact", ["anna@example.com", "b.ivanov@mail.example.org", ""], "email"),
        ("c1", ["4111111111111111", "5500000000000004", "4012888888881881"], "card"),
        ("account", ["GB82WEST12345698765432", "DE89370400440532013000"], "iban"),
        ("tel", ["+7 495 123-45-67", "+7 916 000-00-01"], "phone"),
        ("passport", ["4508 123456", "45 08 654321"], "passport"),
        ("birth_date", ["1980-01-01"], "birth_date"),
        ("account_id", ["1", "2", "30000"], ""),
        ("bill", ["3913.0", "2682.0", "-12.5"], ""),
        ("month", ["2005-04-01", "2005-05-01"], ""),
        ("city", ["New York", "Taipei", "Green Bay"], ""),
        ("code", ["4508123456", "4508654321"], ""),
        ("empty", [None, "", " "], ""),
    ],
)
def test_columns(column, values, kind):
    assert recognise(column, values).kind == kind


def test_a_few_strays_do_not_hide_a_column_of_addresses():
    found = recognise("contact", ["a@example.com"] * 8 + ["unknown", "-"])
    assert (found.kind, found.share) == ("email", 0.8)
