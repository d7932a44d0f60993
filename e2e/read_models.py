"""Read models as a superuser sees them: where they lie, how far they have come, every row they hold."""

from dataclasses import dataclass
from typing import Any

from e2e.stacks import SERVICES, Stack, until

PROFILE = "profile_"
# One row a fact, and the chronicle records one a minute whatever else happens: rows are only ever added.
GROWING = {("audit", "heartbeat"), ("audit", "claims_evaluation"), ("console", "chronicle")}
# Rows by table, by service and view.
Content = dict[tuple[str, str], dict[str, list[str]]]
_LIVE = """
    SELECT s.view, s.version, s.generation, s.schema_name, jsonb_object_agg(c.ledger, c.position)
    FROM projecting.view_state s JOIN projecting.checkpoint c USING (view, version, generation)
    WHERE s.state = 'live' GROUP BY 1, 2, 3, 4"""
_TABLES = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND c.relkind = 'r' ORDER BY 1"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """The generation of a view that readers use, and what it has taken of each ledger."""

    view: str
    schema: str
    generation: int
    positions: dict[str, int]


def live(stack: Stack, service: str) -> dict[str, Live]:
    """The views of a service by name."""
    with stack.connect(service) as connection:
        found = connection.execute(_LIVE).fetchall()
    return {row[0]: Live(view=row[0], generation=row[2], schema=row[3], positions=row[4]) for row in found}


def rows(stack: Stack, service: str, schema: str) -> dict[str, list[str]]:
    """Every row of every table of a view as PostgreSQL writes it, in one order."""
    content = {}
    with stack.connect(service) as connection:
        for (table,) in connection.execute(_TABLES, (schema,)).fetchall():
            told = connection.execute(f'SELECT t::text FROM "{schema}"."{table}" t ORDER BY t::text COLLATE "C"')
            content[table] = [row[0] for row in told.fetchall()]
    return content


def all_rows(stack: Stack) -> Content:
    """The content of every live view of every service."""
    return {
        (service, view): rows(stack, service, one.schema)
        for service in SERVICES
        for view, one in live(stack, service).items()
    }


def differing(before: Content, after: Content) -> set[tuple[str, str]]:
    """Service and name of each view that has come back otherwise."""

    def same(view: tuple[str, str]) -> bool:
        if view not in GROWING:
            return before[view] == after.get(view)
        return all(set(rows) <= set(after[view][table]) for table, rows in before[view].items())

    return {view for view in before.keys() | after.keys() if view not in before or not same(view)}


def heads(stack: Stack) -> dict[str, int]:
    """The last position of every ledger, from its owner."""
    found: dict[str, int] = {}
    for service in SERVICES:
        with stack.connect(service) as connection:
            found |= dict(connection.execute("SELECT ledger, head FROM es.ledger").fetchall())
    return found


def types_after(stack: Stack, positions: dict[str, int]) -> list[str]:
    """The stored names of all facts after these positions, of all ledgers; of a denial the rules too."""
    found: list[str] = []
    for service in SERVICES:
        with stack.connect(service) as connection:
            for ledger, position in positions.items():
                query = "SELECT type, data::json->'rules' FROM es.readable WHERE ledger = %s AND position > %s"
                rows = connection.execute(query, (ledger, position)).fetchall()
                found += [f"{type} {' '.join(rules)}" if rules else type for type, rules in rows]
    return found


def settled(stack: Stack, views: dict[str, set[str]] | None = None) -> dict[str, int]:
    """Wait until every live view (and all those named, by service) stands at the ledgers' heads; the heads."""

    def even() -> Any:
        ends = heads(stack)
        for service in SERVICES:
            there = live(stack, service)
            if views is not None and views[service] - there.keys():
                return None
            for one in there.values():
                if any(position != ends[ledger] for ledger, position in one.positions.items()):
                    return None
        return ends if heads(stack) == ends else None

    return until("all read models to be at the end of their ledgers", even, 90)


def names(stack: Stack) -> dict[str, set[str]]:
    return {service: set(live(stack, service)) for service in SERVICES}


def drop(stack: Stack) -> None:
    """Every read model of every service is gone, whatever generation; the services begin again, knowing nothing."""
    for service in SERVICES:
        with stack.connect(service) as connection:
            schemas = connection.execute("SELECT schema_name FROM projecting.view_state").fetchall()
            for (schema,) in schemas:
                connection.execute(f'DROP SCHEMA "{schema}" CASCADE')
            connection.execute("DELETE FROM projecting.view_state")
    stack.kill(*SERVICES)


def dropped_and_back(stack: Stack) -> tuple[Content, Content]:
    """What the live views hold, and what they hold after all were dropped and built from the facts."""
    # Processes that end say so in facts; from here on they have nothing more to say.
    stack.kill(*SERVICES)
    settled(stack)
    views, before = names(stack), all_rows(stack)
    drop(stack)
    settled(stack, views)
    return before, all_rows(stack)
