"""What may stand in clear as an identifier."""

import pytest

from letopis.common.sealing.pseudonym import looks_personal, luhn


class TestLooksPersonal:
    @pytest.mark.parametrize(
        ("identifier", "kind"),
        [
            ("4111111111111111", "a card number"),
            ("5500 0000 0000 0004", "a card number"),
            ("2200000000000004", "a card number"),
            ("+7 (916) 123-45-67", "a phone number"),
            ("89161234567", "a phone number"),
            ("anna@example.org", "an e-mail address"),
            ("Иванова Анна", "a name or a free text"),
            ("Anna Ivanova", "a name or a free text"),
        ],
    )
    def test_names_what_it_sees(self, identifier, kind):
        assert looks_personal(identifier) == kind

    @pytest.mark.parametrize(
        "identifier",
        ["", "17", "30000", "acc-17", "0199f2c4-7d2e-7cc1-9d6f-1f3a2b4c5d6e", "4111111111111112", "7" * 20],
    )
    def test_lets_pseudonyms_pass(self, identifier):
        assert looks_personal(identifier) == ""


def test_luhn_is_that_of_the_standard():
    """ISO/IEC 7812-1, annex B: 4992 73 9871 has the check digit 6."""
    assert [digit for digit in range(10) if luhn(f"4992739871{digit}")] == [6]
