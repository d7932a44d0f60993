"""Schemas that hold a view: started, found again, swapped, and dropped one generation later."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, LiteralString

from psycopg import sql

from letopis.common.driver import Connection
from letopis.common.projecting.tables import make_indexes, make_tables
from letopis.common.projecting.view import View

# In use: the live one; else one that is being built; else, after a return to older code, the newest retired one.
_IN_USE = """
    SELECT generation, schema_name, state FROM projecting.view_state
    WHERE view = %s AND version = %s AND shape = %s
    ORDER BY array_position(ARRAY['live', 'catching_up', 'building', 'retired'], state), generation DESC LIMIT 1"""
_UNDER_LOCK = """
    SELECT c.ledger, c.position, s.state
    FROM projecting.checkpoint c JOIN projecting.view_state s USING (view, version, generation)
    WHERE view = %s AND version = %s AND generation = %s ORDER BY c.ledger FOR UPDATE OF c FOR SHARE OF s"""
_LIVE = """
    SELECT s.version, s.generation, s.schema_name, s.shape FROM projecting.view_state s
    JOIN pg_namespace n ON n.nspname = s.schema_name
    WHERE s.view = %s AND s.state = 'live' ORDER BY s.version DESC LIMIT 1"""
_RETIRED = """
    SELECT s.version, s.generation, s.schema_name, s.shape FROM projecting.view_state s
    JOIN pg_namespace n ON n.nspname = s.schema_name
    WHERE s.view = %s AND s.state = 'retired' ORDER BY s.changed_at DESC LIMIT 1"""

_HIDDEN = "hidden"


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One schema of one version of a view, and the state it was found in."""

    view: str
    version: int
    number: int
    schema: str
    state: str
    shape: str = ""

    @property
    def key(self) -> tuple[str, int, int]:
        return self.view, self.version, self.number

    def in_state(self, state: str) -> "Generation":
        return replace(self, state=state)

    @property
    def answers(self) -> bool:
        """Whether readers use it."""
        return self.state in {"live", "retired"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The live generation, if there is one, and where it is kept from going on."""

    live: Generation | None
    positions: dict[str, int]


async def in_use(connection: Connection, view: View) -> Generation | None:
    """The generation that a projector of this version and shape works on."""
    row = await _one(connection, _IN_USE, (view.name, view.version, view.shape()))
    if row is None:
        return None
    return Generation(
        view=view.name, version=view.version, number=row[0], schema=row[1], state=row[2], shape=view.shape()
    )


async def open_or_start(connection: Connection, view: View) -> Generation:
    """The generation in use, or a new one."""
    async with connection.transaction():
        await _turn(connection, view)
        return await in_use(connection, view) or await _start(connection, view, view.shape())


async def start(connection: Connection, view: View, *, hidden: bool = False) -> Generation:
    """A fresh schema, to be built beside what is there; others that were being built are dropped.

    A hidden one is found by no other projector before it is shown: its rows say nothing of where it stands.
    """
    async with connection.transaction():
        await _turn(connection, view)
        await _drop(connection, view, f"version = {view.version} AND state IN ('building', 'catching_up')")
        return await _start(connection, view, _HIDDEN if hidden else view.shape())


async def show(connection: Connection, generation: Generation, reached: Mapping[str, int]) -> None:
    """What was hidden has all facts up to these positions."""
    async with connection.transaction():
        for ledger, position in reached.items():
            await advance(connection, generation, ledger, 0, position)
        await connection.execute(
            "UPDATE projecting.view_state SET shape = %s WHERE (view, version, generation) = (%s, %s, %s)",
            (generation.shape, *generation.key),
        )


async def same(connection: Connection, generation: Generation) -> bool:
    """Whether the generation still is in the state it was found in."""
    row = await _one(
        connection,
        "SELECT state FROM projecting.view_state WHERE (view, version, generation) = (%s, %s, %s)",
        generation.key,
    )
    return row is not None and row[0] == generation.state


async def positions(connection: Connection, generation: Generation) -> dict[str, int]:
    """How far the generation has come in each ledger."""
    cursor = await connection.execute(
        "SELECT ledger, position FROM projecting.checkpoint WHERE (view, version, generation) = (%s, %s, %s)",
        generation.key,
    )
    return dict(await cursor.fetchall())


async def stand(connection: Connection, generation: Generation) -> tuple[dict[str, int], str] | None:
    """Positions and state; None if the generation is gone.

    All its checkpoints are locked until the transaction ends: facts of two ledgers may touch the same row. The state
    is locked too, else whoever waited here for a swap would be told the state from before it, write into what is
    retired, and think itself ahead of what is live.
    """
    found = await (await connection.execute(_UNDER_LOCK, generation.key)).fetchall()
    return ({ledger: position for ledger, position, _ in found}, found[0][2]) if found else None


async def live_of(connection: Connection, view: View) -> Generation | None:
    """The live generation of a view of whatever version, if its schema is there."""
    return await _known(connection, _LIVE, view, "live")


async def retired_of(connection: Connection, view: View) -> Generation | None:
    """The generation that was live before, of whatever version, if its schema is there."""
    return await _known(connection, _RETIRED, view, "retired")


async def discard(connection: Connection, view: View, generation: Generation) -> None:
    """Drop a generation that readers do not use."""
    async with connection.transaction():
        await _turn(connection, view)
        if await same(connection, generation) and not generation.answers:
            await _drop(connection, view, f"version = {generation.version} AND generation = {generation.number}")


async def advance(connection: Connection, generation: Generation, ledger: str, before: int, after: int) -> bool:
    """Compare and set the checkpoint."""
    cursor = await connection.execute(
        "UPDATE projecting.checkpoint SET position = %s"
        " WHERE (view, version, generation) = (%s, %s, %s) AND ledger = %s AND position = %s",
        (after, *generation.key, ledger, before),
    )
    return cursor.rowcount == 1


async def index(connection: Connection, view: View, generation: Generation) -> bool:
    """The bulk is in: make the secondary indexes; from here on it only catches up. False if somebody else did."""
    async with connection.transaction():
        await _turn(connection, view)
        if not await same(connection, generation):
            return False
        for statement in make_indexes(view, generation.schema):
            await connection.execute(_literal(statement))
        await _mark(connection, generation, "catching_up")
        return True


async def hold(connection: Connection, view: View, generation: Generation) -> Held | None:
    """Keep the live generation from moving, and others from swapping, until the caller's transaction ends.

    None if the given one, which is to take its place, is not what it was.
    """
    await _turn(connection, view)
    if not await same(connection, generation):
        return None
    live = await live_of(connection, view)
    standing = live and await stand(connection, live)
    return Held(live=live if standing else None, positions=standing[0] if standing else {})


async def swap(connection: Connection, view: View, generation: Generation) -> bool:
    """Make the generation live, in one transaction, unless the live one is ahead of it.

    The one that was live is kept as retired, the ones retired before it are dropped.
    """
    async with connection.transaction():
        await _turn(connection, view)
        if not await same(connection, generation):
            return False
        live = await in_use(connection, view)
        if live is not None and live.state == "live":
            # The live one cannot advance while its checkpoints are locked.
            theirs = await stand(connection, live)
            ours = await positions(connection, generation)
            if theirs is not None and _behind(ours, theirs[0]):
                return False
        await _drop(connection, view, f"state = 'retired' AND schema_name <> '{generation.schema}'")
        await connection.execute(
            "UPDATE projecting.view_state SET state = 'retired', changed_at = clock_timestamp()"
            " WHERE view = %s AND state = 'live'",
            (view.name,),
        )
        await _mark(connection, generation, "live")
        return True


def _behind(ours: Mapping[str, int], theirs: Mapping[str, int]) -> bool:
    return any(position > ours.get(ledger, 0) for ledger, position in theirs.items())


async def _known(connection: Connection, query: LiteralString, view: View, state: str) -> Generation | None:
    row = await _one(connection, query, (view.name,))
    if row is None:
        return None
    version, number, schema, shape = row
    return Generation(view=view.name, version=version, number=number, schema=schema, state=state, shape=shape)


async def _start(connection: Connection, view: View, shape: str) -> Generation:
    row = await _one(
        connection,
        "SELECT coalesce(max(generation), 0) + 1 FROM projecting.view_state WHERE view = %s AND version = %s",
        (view.name, view.version),
    )
    number = row[0] if row else 1
    schema = f"rm_{view.name}_v{view.version}_{number}"
    # Whoever may read the states of views may read the views.
    readers = await connection.execute(
        "SELECT DISTINCT r.rolname FROM pg_class c, aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee"
        " WHERE c.oid = 'projecting.view_state'::regclass AND a.privilege_type = 'SELECT'"
    )
    to = sql.SQL(", ").join(sql.Identifier(name) for (name,) in await readers.fetchall())
    await connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    for statement in make_tables(view, schema):
        await connection.execute(_literal(statement))
    for grant in ("GRANT USAGE ON SCHEMA {} TO {}", "GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {}"):
        await connection.execute(sql.SQL(grant).format(sql.Identifier(schema), to))
    generation = Generation(
        view=view.name, version=view.version, number=number, schema=schema, state="building", shape=view.shape()
    )
    await connection.execute(
        "INSERT INTO projecting.view_state (view, version, generation, shape, schema_name, state)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (*generation.key, shape, schema, "building"),
    )
    for ledger in view.sources:
        await connection.execute(
            "INSERT INTO projecting.checkpoint (view, version, generation, ledger) VALUES (%s, %s, %s, %s)",
            (*generation.key, ledger),
        )
    return generation


async def _drop(connection: Connection, view: View, which: str) -> None:
    cursor = await connection.execute(
        _literal(f"DELETE FROM projecting.view_state WHERE view = %s AND {which} RETURNING schema_name"), (view.name,)
    )
    for (schema,) in await cursor.fetchall():
        await connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))


async def _mark(connection: Connection, generation: Generation, state: str) -> None:
    await connection.execute(
        "UPDATE projecting.view_state SET state = %s, changed_at = clock_timestamp()"
        " WHERE (view, version, generation) = (%s, %s, %s)",
        (state, *generation.key),
    )


async def _turn(connection: Connection, view: View) -> None:
    """Those who start or swap generations of one view take turns."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext('letopis.view'), hashtext(%s))", (view.name,))


async def _one(connection: Connection, query: LiteralString, values: tuple[Any, ...]) -> Any:
    return await (await connection.execute(query, values)).fetchone()


def _literal(statement: str) -> sql.SQL:
    # Statements made of the view's own declaration, never of input.
    return sql.SQL(statement)
