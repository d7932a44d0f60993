"""The bitemporal point-in-time join: for each question, the newest value that was both true and known at its moment.

For a spine row (key, moment) the answer is the feature row of that key with the greatest (event time, known time) among
those that were available, available = GREATEST(event, known) <= moment; an answer whose event time is older than the
view's time to live is no answer. In mode `event` known time is ignored, which is how values leak from the future.

The shape is portable (row_number, a running maximum, one equi-join; no inequality join): feature rows of a key are
numbered by (event, known); questions and answers are put on one time line; the running maximum of the number is the
answer's number, because the newest row among those already available is the one with the greatest number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from letopis.features.query.gate import quoted

KnownTime = Literal["source", "event"]
# Names that cannot be mistaken for a feature's.
EVENT, KNOWN = "__event", "__known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """What one view brings to a data set.

    `table` holds the view's rows; `key`, `event_time` and `known_time` name its columns (known_time None: known when it
    happened); `ttl_seconds` None means a value never grows old.
    """

    table: str
    key: str
    event_time: str
    known_time: str | None
    ttl_seconds: int | None
    features: tuple[str, ...]


def numbered(view: Joined) -> str:
    """SQL of the view's rows with their order within the key and the moment from which they could be used."""
    event = f"CAST({quoted(view.event_time)} AS TIMESTAMP)"
    known = f"CAST({quoted(view.known_time)} AS TIMESTAMP)" if view.known_time else event
    order = ", ".join(f"{quoted(name)} NULLS FIRST" for name in view.features)
    values = "".join(f", {quoted(name)}" for name in view.features)
    return (
        f"SELECT *, GREATEST({EVENT}, {KNOWN}) AS __available, "
        # Rows equal in both times are ordered by their values, so that the answer does not hang on file order.
        f"row_number() OVER (PARTITION BY __key ORDER BY {EVENT}, {KNOWN}{', ' + order if order else ''}) AS __number "
        f"FROM (SELECT {quoted(view.key)} AS __key, {event} AS {EVENT}, coalesce({known}, {event}) AS {KNOWN}{values} "
        f"FROM {quoted(view.table)} WHERE {quoted(view.key)} IS NOT NULL AND {event} IS NOT NULL)"
    )


def answered(view: Joined, *, spine: str, mode: KnownTime, prefix: str) -> str:
    """SQL of one row for each spine row: `__row`, the features (named `prefix` + number of the feature), and `__leaks`.

    `spine` is a table with columns `__row` (unique), `__key` and `__at` (TIMESTAMP). `__leaks` is 1 where a join on
    event time alone would have given a value that was not known yet, or another than the one known.
    """
    available = EVENT if mode == "event" else "__available"
    alive = f"AND {{one}}.{EVENT} > s.__at - INTERVAL {view.ttl_seconds} SECOND" if view.ttl_seconds is not None else ""
    values = "".join(
        f", CASE WHEN s.__at IS NOT NULL {alive.format(one='v')} THEN v.{quoted(name)} END AS {prefix}{place}"
        for place, name in enumerate(view.features)
    )
    return (
        f"WITH f AS ({numbered(view)}), "
        f"line AS ("
        f"SELECT __key, {available} AS __time, 0 AS __asks, __number AS __known_number, NULL AS __event_number, "
        f"NULL AS __row, NULL AS __at FROM f "
        f"UNION ALL SELECT __key, {EVENT}, 0, NULL, __number, NULL, NULL FROM f "
        f"UNION ALL SELECT __key, __at, 1, NULL, NULL, __row, __at FROM {quoted(spine)}), "
        f"told AS (SELECT __key, __asks, __row, __at, max(__known_number) OVER w AS __known_number, "
        f"max(__event_number) OVER w AS __event_number FROM line "
        # At the same moment values come before questions: what is known at the moment counts.
        f"WINDOW w AS (PARTITION BY __key ORDER BY __time, __asks ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) "
        f"SELECT s.__row AS __row{values}, v.{EVENT} AS {EVENT}, v.{KNOWN} AS {KNOWN}, "
        f"CASE WHEN e.__available > s.__at {alive.format(one='e')} THEN 1 ELSE 0 END AS __leaks "
        f"FROM told AS s LEFT JOIN f AS v ON s.__key = v.__key AND s.__known_number = v.__number "
        f"LEFT JOIN f AS e ON s.__key = e.__key AND s.__event_number = e.__number WHERE s.__asks = 1"
    )


def newest(view: Joined, *, moment: str) -> str:
    """SQL of the newest row of each key that was available at `moment` (a SQL timestamp): what goes online."""
    values = "".join(f", {quoted(name)}" for name in view.features)
    return (
        f"SELECT __key, {EVENT}, {KNOWN}{values} FROM (SELECT *, row_number() OVER "
        f"(PARTITION BY __key ORDER BY __number DESC) AS __place FROM ({numbered(view)}) "
        f"WHERE __available <= {moment}) WHERE __place = 1 ORDER BY __key"
    )


def row_numbered(columns: Sequence[str], source: str, *, key: str, moment: str) -> str:
    """SQL of a spine: the statement's rows in one order of their own, numbered, with key and moment set apart."""
    every = ", ".join(f"{quoted(name)} NULLS FIRST" for name in columns)
    return (
        f"SELECT row_number() OVER (ORDER BY {quoted(key)}, {quoted(moment)}, {every}) AS __row, "
        f"{quoted(key)} AS __key, CAST({quoted(moment)} AS TIMESTAMP) AS __at, * FROM {quoted(source)}"
    )
