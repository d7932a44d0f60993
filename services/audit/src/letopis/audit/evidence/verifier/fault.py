"""What a verifier finds wrong, and where."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One thing that is not as it must be; `place` is a file and byte, or a ledger and position."""

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


class Bad(Exception):
    """The check cannot go on: something has not the form it must have."""

    def __init__(self, what: str, place: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.place = place
