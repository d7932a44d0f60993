"""What may name a subject in clear: a pseudonym, never a card, a phone, an address or a name. Pure.

Identifiers stand unsealed in facts, views and keys for as long as the ledger lives, so what looks personal is
refused at the door. It is a net, not a proof: a surname in Latin letters passes.
"""

import re

_PSEUDONYM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}\Z")
_MOBILE = re.compile(r"[78]9[0-9]{9}\Z")
# ISO/IEC 7812: the first digits of payment cards, and how many digits those have.
_CARD = re.compile(r"(2[2-7]|3[4-7]|4|5|6)[0-9]{12,18}\Z")
_LENGTHS = frozenset({15, 16, 18, 19})


def looks_personal(identifier: str) -> str:
    """What the identifier looks like, "" for a pseudonym or nothing: in words for who sent it."""
    if not identifier:
        return ""
    if "@" in identifier:
        return "an e-mail address"
    digits = re.sub(r"[ ()-]", "", identifier)
    if (digits.startswith("+") and digits[1:].isdigit()) or _MOBILE.match(digits):
        return "a phone number"
    if len(digits) in _LENGTHS and _CARD.match(digits) and luhn(digits):
        return "a card number"
    if not _PSEUDONYM.match(identifier):
        return "a name or a free text"
    return ""


def luhn(digits: str) -> bool:
    """Whether the check digit is right (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
