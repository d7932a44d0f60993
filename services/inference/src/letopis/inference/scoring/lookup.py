"""Feature values of now, asked of the features service; each value comes with its state and its times."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx
import msgspec

from letopis.common.errors import Unavailable
from letopis.inference.decision.events import LookedUp
from letopis.inference.scoring.plan import LARGEST, Plan, Value

MOST_ENTITIES = 1000
USABLE = frozenset({"PRESENT", "STALE"})
UNFIT = "UNFIT"


class FeaturesAway(Unavailable):
    """The values a row leaves out cannot be looked up now."""

    code = "scoring.features_away"
    title = "The features service does not answer; send all inputs, or try again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One value of one entity. Status is PRESENT, STALE, MISSING or MASKED; the latter two have no value."""

    value: Value
    status: str
    event_time: str | None = None
    known_time: str | None = None


class _Entity(msgspec.Struct, frozen=True):
    key: str
    values: list[Value]
    status: list[str]
    event_times: list[str | None]
    known_times: list[str | None]


class _Answer(msgspec.Struct, frozen=True):
    features: list[str]
    entities: list[_Entity]


_DECODER = msgspec.json.Decoder(_Answer)


@dataclass(frozen=True, slots=True)
class OnlineFeatures:
    """The features service over HTTP; `http` signs with this service's own token. `deadline` is in seconds."""

    http: httpx.AsyncClient
    features_url: str
    deadline: float = 1.0

    async def look_up(self, bundle: str, entities: Sequence[str], purpose: str) -> list[Mapping[str, Found]]:
        """Values by name for each entity, in order; FeaturesAway if they cannot be had in time."""
        found: list[Mapping[str, Found]] = []
        for start in range(0, len(entities), MOST_ENTITIES):
            found += await self._ask(bundle, entities[start : start + MOST_ENTITIES], purpose)
        return found

    async def _ask(self, bundle: str, entities: Sequence[str], purpose: str) -> list[Mapping[str, Found]]:
        try:
            answer = await self.http.post(
                f"{self.features_url}/v1/online/{bundle}",
                json={"entities": list(entities)},
                headers={"Letopis-Purpose": purpose},
                timeout=self.deadline,
            )
            answer.raise_for_status()
            told = _DECODER.decode(answer.content)
            if [one.key for one in told.entities] != list(entities):
                raise FeaturesAway(f"bundle {bundle}: the answer is about other entities")
            return [_by_name(told.features, one) for one in told.entities]
        except (httpx.HTTPError, msgspec.MsgspecError, ValueError) as error:
            raise FeaturesAway(f"bundle {bundle}: {type(error).__name__}") from error


def joined(
    plan: Plan, inputs: Mapping[str, Value], absent: Sequence[str], found: Mapping[str, Found]
) -> tuple[dict[str, Value], tuple[LookedUp, ...]]:
    """The row with what was looked up, and where each looked-up value came from.

    A value of another type than the signature says is missing, and its status says so (UNFIT).
    """
    kinds = {one.name: one.kind for one in plan.inputs}
    whole: dict[str, Value] = dict(inputs)
    origins = []
    for name in absent:
        one = found.get(name) or Found(value=None, status="MISSING")
        value = _typed(one.value, kinds[name]) if one.status in USABLE else None
        whole[name] = value
        origins.append(
            LookedUp(
                name=name,
                status=UNFIT if value is None and one.value is not None and one.status in USABLE else one.status,
                event_time=one.event_time,
                known_time=one.known_time,
            )
        )
    return whole, tuple(origins)


def _by_name(names: Sequence[str], one: _Entity) -> dict[str, Found]:
    columns = zip(names, one.values, one.status, one.event_times, one.known_times, strict=True)
    return {
        name: Found(value=value, status=status, event_time=event, known_time=known)
        for name, value, status, event, known in columns
    }


def _typed(value: Value, kind: str) -> Value:
    match kind, value:
        case "boolean", bool():
            return value
        case (("double" | "long"), bool()):
            return None
        case "double", int() | float():
            return float(value)
        case "long", int() | float() if float(value).is_integer() and abs(value) <= LARGEST:
            return int(value)
        case _:
            return None
