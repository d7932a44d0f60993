"""Standing claims against a brute-force checker on random histories: one planted violation is found, no other is."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letopis.audit.claim import document
from letopis.audit.claim.evaluation import SETTLE, Standing
from letopis.audit.claim.facts import Fact, moment
from letopis.audit.claim.language import NotAClaim, parse

START = datetime(2026, 3, 1, tzinfo=UTC)
TYPES = {"left.thing.made": "left", "left.thing.ended": "left", "right.thing.agreed": "right"}


def text(second):
    return (START + timedelta(seconds=second)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def record(ledger, position, second, type, **data):
    return {
        "ledger": ledger,
        "position": str(position),
        "type": type,
        "recorded_at": text(second),
        "stream": "s:1",
        "event_id": f"{ledger}-{position}",
        "data": json.dumps(data),
        "meta": json.dumps({"actor": {"login": data.get("who")}}),
    }


@st.composite
def histories(draw):
    """Two ledgers whose times only grow within each; facts with a key, a person, an end and a list."""
    found = []
    for ledger in ("left", "right"):
        second = 0
        for position in range(1, draw(st.integers(0, 7)) + 1):
            second += draw(st.sampled_from([0, 1, 30, 90, 400]))
            type = draw(st.sampled_from([one for one, owner in TYPES.items() if owner == ledger]))
            data = {
                "k": draw(st.sampled_from([1, 2, None])),
                "who": draw(st.sampled_from(["anna", "boris"])),
                "until": text(draw(st.sampled_from([0, 60, 500, 3000]))),
                "list": draw(st.lists(st.sampled_from([1, 2]), max_size=2)),
                "said_at": text(draw(st.sampled_from([0, 50, 700]))),
            }
            found.append(record(ledger, position, second, type, **data))
    return found


@st.composite
def claims(draw):
    every = {"facts": ["left.thing.made"]}
    if draw(st.booleans()):
        every["where"] = [["who", draw(st.sampled_from(["is", "is_not"])), "anna"]]
    if draw(st.booleans()):
        every["at"] = "said_at"
    path = "k"
    if draw(st.booleans()):
        every["each"], path = "list", "@each"
    rule = draw(st.sampled_from(["never", "needs", "lacks"]))
    told = {"id": "any_claim", "text": {"en": "words"}, "every": every}
    if rule == "never":
        return told | {"never": True}
    on = draw(st.sampled_from([{"k": path}, {"k": path, "who": "who"}, {}]))
    fact = draw(st.sampled_from(["right.thing.agreed", "left.thing.made", "left.thing.ended"]))
    others = {"any": [{"fact": fact, "on": on}], "order": draw(st.sampled_from(["before", "after", "any"]))}
    if draw(st.booleans()):
        others["any"].append({"fact": "left.thing.ended", "on": {"who": "who"}, "where": [["k", "at_least", 2]]})
    if others["order"] != "any" and draw(st.booleans()):
        others["within_seconds"] = draw(st.sampled_from([0, 60, 500]))
    if others["order"] == "before" and draw(st.booleans()):
        others["until"] = "until"
    if others["order"] == "before" and draw(st.booleans()):
        ender = {"fact": "left.thing.ended", "on": {"k": path}}
        others["ended_by"] = {"any": [ender], "grace_seconds": draw(st.sampled_from([0, 60]))}
    if draw(st.booleans()):
        others |= {"at_least": 2, "distinct": "who"}
    return told | {rule: others}


class Brute:
    """The same language told again, fact by fact over the whole history, with nothing kept between."""

    def __init__(self, claim, history):
        self.claim, self.history = claim, history
        self.now = max((moment(one["recorded_at"]) for one in history), default=0)

    def found(self):
        checked, waiting, wrong = 0, 0, []
        every = self.claim["every"]
        for first in self.history:
            data = json.loads(first["data"])
            if first["type"] not in every["facts"] or not all(self.test(one, data) for one in every.get("where", [])):
                continue
            for element in data[every["each"]] if "each" in every else [None]:
                checked += 1
                verdict = self.verdict(first, data, element)
                waiting += verdict is None
                if verdict is False:
                    wrong.append((first["ledger"], int(first["position"])))
        return checked, waiting, sorted(wrong)

    def test(self, one, data):
        value = data[one[0]]
        if one[1] == "at_least":
            return value is not None and value >= one[2]
        return (value == one[2]) == (one[1] == "is")

    def time(self, one, at=""):
        return moment(json.loads(one["data"])[at] if at else one["recorded_at"])

    def earlier(self, one, one_time, other, other_time):
        if one["ledger"] == other["ledger"]:
            return int(one["position"]) < int(other["position"])
        return one_time <= other_time

    def goes(self, other, alternatives, data, element):
        told = json.loads(other["data"])
        for one in alternatives:
            pairs = [(told[a], element if b == "@each" else data[b]) for a, b in one.get("on", {}).items()]
            fits = all(a is not None and a == b for a, b in pairs)
            if other["type"] == one["fact"] and fits and all(self.test(t, told) for t in one.get("where", [])):
                return True
        return False

    def verdict(self, first, data, element):
        if "never" in self.claim:
            return False
        rules = self.claim.get("needs") or self.claim.get("lacks")
        time, order = self.time(first, self.claim["every"].get("at", "")), rules["order"]
        within = rules.get("within_seconds")
        met = set()
        for other in self.history:
            at = self.time(other)
            if (other["ledger"], other["position"]) == (first["ledger"], first["position"]):
                continue
            if not self.goes(other, rules["any"], data, element):
                continue
            if order != "any" and self.earlier(other, at, first, time) != (order == "before"):
                continue
            if within is not None and abs(at - time) > within * 1_000_000:
                continue
            ender = rules.get("ended_by", {"any": [], "grace_seconds": 0})
            grace = ender["grace_seconds"] * 1_000_000
            if "until" in rules and self.time(other, "until") + grace < time:
                continue
            if any(
                self.goes(end, ender["any"], data, element)
                and self.earlier(other, at, end, self.time(end))
                and self.time(end) + grace < time
                for end in self.history
            ):
                continue
            met.add(json.loads(other["data"])["who"] if "distinct" in rules else (other["ledger"], other["position"]))
        enough = len(met) >= rules.get("at_least", 1)
        if "lacks" in self.claim:
            return not enough
        if enough:
            return True
        if order == "after" and within is None:
            return None
        deadline = time + (within * 1_000_000 if order == "after" and within else 0)
        return None if self.now <= deadline + SETTLE else False


def found(claim, history, stops=()):
    """What the fold finds; at each stop it is asked and goes on."""
    standing = Standing(parse(claim))
    for at, one in enumerate(history):
        standing.feed(Fact(one))
        if at in stops:
            standing.judged(moment(one["recorded_at"]))
    now = max((moment(one["recorded_at"]) for one in history), default=0)
    checked, waiting, wrong = standing.judged(now)
    return checked, waiting, [(at.ledger, at.position) for at in wrong]


class TestStanding:
    @settings(max_examples=300, deadline=None)
    @given(claims(), histories())
    def test_finds_what_brute_force_finds(self, claim, history):
        assert found(claim, history) == Brute(claim, history).found()

    @settings(max_examples=100, deadline=None)
    @given(claims(), histories(), st.randoms(use_true_random=False))
    def test_does_not_depend_on_the_order_between_ledgers_nor_on_when_it_is_asked(self, claim, history, chance):
        waiting = {ledger: [one for one in history if one["ledger"] == ledger] for ledger in ("left", "right")}
        mixed = []
        while any(waiting.values()):
            mixed.append(chance.choice([one for one in waiting.values() if one]).pop(0))
        assert found(claim, mixed, stops=range(len(mixed))) == found(claim, history)

    @settings(max_examples=100, deadline=None)
    @given(claims())
    def test_every_claim_of_the_language_can_be_read_from_json(self, claim):
        assert parse(json.loads(json.dumps(claim))) == parse(claim)


def shipped(id):
    return next(one for one in document.shipped() if one["id"] == id)


def decided(position, second, version="v1", digest="d1", **more):
    facts = {"version_id": version, "version_digest": digest, "kind": "single", "decided_at": text(second)}
    return record("decisions", position, second + 5, "decisions.decision.made", **facts | more)


def completed(position, second, version="v1", digest="d1"):
    return record(
        "registry", position, second, "registry.promotion.completed",
        promotion_id=f"p-{version}", version_id=version, version_digest=digest,
    )  # fmt: skip


class TestShipped:
    def test_there_are_ten_at_least_and_all_can_be_read(self):
        ids = [parse(one).id for one in document.shipped()]
        assert len(ids) == len(set(ids)) >= 10

    def test_a_score_needs_an_approval_before_it(self):
        late = record("audit", 1, 5000, "audit.none.none")
        claim = shipped("score_under_approval")
        history = [decided(1, 10), decided(2, 200), decided(3, 300, "v2"), completed(1, 100), late]
        assert found(claim, history)[2] == [("decisions", 1), ("decisions", 3)]

    def test_a_version_that_was_rolled_back_has_lost_its_approval_until_it_comes_back(self):
        claim = shipped("score_under_approval")
        back = {"from_version_id": "v1", "to_version_id": "v0", "to_version_digest": "d0", "model_id": "m"}
        again = {"from_version_id": "v0", "to_version_id": "v1", "to_version_digest": "d1", "model_id": "m"}
        history = [
            completed(1, 0),
            record("registry", 2, 1000, "registry.production.rolled_back", **back),
            record("registry", 3, 3000, "registry.production.rolled_back", **again),
            *(decided(at, second) for at, second in enumerate((900, 1200, 2000, 3500), 1)),
            record("audit", 1, 9000, "audit.none.none"),
        ]
        assert found(claim, history)[2] == [("decisions", 3)]

    def test_an_alert_is_open_until_its_day_is_over(self):
        claim = shipped("critical_alert_answered")
        opened = record("monitoring", 1, 0, "monitoring.alert.opened", alert_id="a", episode=1, severity="critical")
        for seconds, expected in ((86000, (1, 1, [])), (86400 + 61, (1, 0, [("monitoring", 1)]))):
            assert found(claim, [opened, record("audit", 1, seconds, "audit.none.none")]) == expected
        answer = record("monitoring", 2, 80000, "monitoring.alert.acknowledged", alert_id="a", episode=1)
        assert found(claim, [opened, answer, record("audit", 1, 200_000, "audit.none.none")]) == (1, 0, [])


GOOD = {"id": "any_claim", "text": {"en": "words"}, "every": {"facts": ["left.thing.made"]}, "never": True}
NAMES = st.sampled_from([*GOOD, "needs", "any", "fact", "on"])
ANYTHING = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(NAMES, one, max_size=4),
    max_leaves=8,
)


class TestParse:
    @pytest.mark.parametrize(
        "change",
        [
            {"id": "A b"},
            {"never": False},
            {"needs": {"any": [{"fact": "left.thing.made"}]}},
            {"every": {"facts": []}},
            {"every": {"facts": ["left"]}},
            {"every": {"facts": ["left.thing.made"], "where": [["a", "like", 1]]}},
            {"every": {"facts": ["left.thing.made"], "where": [["a b", "is", 1]]}},
            {"every": {"facts": ["left.thing.made"], "sort": "a"}},
            {"text": {"de": "Worte"}},
        ],
    )
    def test_what_is_not_of_the_language_is_refused_with_words(self, change):
        with pytest.raises(NotAClaim, match=r"\w+"):
            parse(GOOD | change)

    @settings(max_examples=100, deadline=None)
    @given(ANYTHING)
    def test_anything_else_is_refused_and_breaks_nothing(self, told):
        with pytest.raises(NotAClaim):
            parse(told)


class TestMoment:
    def test_is_exact_to_the_microsecond(self):
        assert moment("2026-03-01T00:00:00.000001Z") - moment("2026-03-01T00:00:00Z") == 1
        assert all(a < b for a, b in pairwise(moment(text(at)) for at in range(5)))
        assert moment("yesterday") is moment(None) is moment("2026-03-01T00:00:00") is None
