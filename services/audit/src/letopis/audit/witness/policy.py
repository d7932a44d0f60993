"""Who must have signed, as C2SP tlog-policy tells it: witnesses, groups with thresholds, one quorum."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from letopis.audit.log.note import BadNote
from letopis.audit.witness.cosignature import WitnessKey

NONE = "none"


class BadPolicy(Exception):
    """A policy file says what cannot be; the message names the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """At least `needed` of the members."""

    needed: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessPolicy:
    """Witnesses by name with the addresses where they are asked, groups, and the quorum."""

    witnesses: Mapping[str, WitnessKey] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    quorum: str = NONE

    def satisfied(self, signed: set[str]) -> bool:
        """Whether the witnesses that signed are enough."""
        return self.quorum == NONE or self._holds(self.quorum, signed)

    def _holds(self, name: str, signed: set[str]) -> bool:
        group = self.groups.get(name)
        if group is None:
            return name in signed
        return sum(self._holds(member, signed) for member in group.members) >= group.needed


def parse(text: str) -> WitnessPolicy:
    """The policy of a file's text; BadPolicy names the line that is wrong. Lines that name logs are for others."""
    reading = _Reading()
    for number, line in enumerate(text.split("\n"), 1):
        try:
            reading.line(line.split())
        except (BadPolicy, BadNote) as bad:
            raise BadPolicy(f"line {number}: {bad}") from None
    if reading.quorum is None:
        raise BadPolicy("a policy needs a line that begins with quorum")
    return WitnessPolicy(
        witnesses=reading.witnesses, addresses=reading.addresses, groups=reading.groups, quorum=reading.quorum
    )


@dataclass(slots=True)
class _Reading:
    """What the lines so far have said."""

    witnesses: dict[str, WitnessKey] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    members: set[str] = field(default_factory=set)
    quorum: str | None = None

    def line(self, words: Sequence[str]) -> None:
        if not words or words[0].startswith("#"):
            return
        match words:
            case ["log", _] | ["log", _, _]:
                return
            case ["witness", name, key]:
                self._witness(name, WitnessKey.parse(key))
            case ["witness", name, key, address]:
                self._witness(name, WitnessKey.parse(key))
                self.addresses[name] = address
            case ["group", name, needed, *names] if names:
                self._group(name, needed, names)
            case ["quorum", name] if self.quorum is None and (name == NONE or self._defined(name)):
                self.quorum = name
            case ["quorum", *_]:
                raise BadPolicy("the quorum names nothing that was defined before, or stands twice")
            case _:
                raise BadPolicy("this is no line of a policy")

    def _witness(self, name: str, key: WitnessKey) -> None:
        self._free(name)
        if any(one.key == key.key for one in self.witnesses.values()):
            raise BadPolicy("this key is another witness's already; one hand must not count twice")
        self.witnesses[name] = key

    def _group(self, name: str, needed: str, names: Sequence[str]) -> None:
        self._free(name)
        for one in names:
            if not self._defined(one):
                raise BadPolicy(f"{one} is not defined before")
            if one in self.members:
                raise BadPolicy(f"{one} is a member already; one hand must not count twice")
            self.members.add(one)
        self.groups[name] = Group(needed=_threshold(needed, len(names)), members=tuple(names))

    def _free(self, name: str) -> None:
        if name == NONE or self._defined(name):
            raise BadPolicy(f"the name {name} is taken")

    def _defined(self, name: str) -> bool:
        return name in self.witnesses or name in self.groups


def _threshold(word: str, count: int) -> int:
    needed = {"all": count, "any": 1}.get(word) or (int(word) if word.isascii() and word.isdigit() else 0)
    if not 1 <= needed <= count:
        raise BadPolicy(f"{word} of {count} members cannot be")
    return needed
