"""The event store's tables and functions, and what each database role may do with them."""

from collections.abc import Sequence
from importlib.resources import files

from sqlalchemy import Connection

from letopis.common.migrating import Roles


def create(connection: Connection, ledgers: Sequence[str], roles: Roles, *, partition_size: int = 1 << 24) -> None:
    """Create schema `es` with these ledgers; run once, by a service's first migration, as the owner.

    `partition_size` is a power of two, so that a partition is a whole subtree; only tests make it small.
    """
    cursor = connection.connection.cursor()
    cursor.execute(files(__package__).joinpath("schema.sql").read_text("utf-8"))
    size = f"SELECT {partition_size}::bigint"
    cursor.execute(f"CREATE OR REPLACE FUNCTION es.partition_size() RETURNS bigint LANGUAGE sql IMMUTABLE AS '{size}'")
    for ledger in ledgers:
        for number in (0, 1):
            cursor.execute("SELECT es.open_partition(%s, %s)", (ledger, number))
    readers = ", ".join(f'"{role}"' for role in dict.fromkeys((roles.app, roles.projector)))
    cursor.execute(f"GRANT USAGE ON SCHEMA es TO {readers}")
    cursor.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA es TO {readers}")
    cursor.execute(f'GRANT EXECUTE ON FUNCTION es.append, es.append_batch, es.open_ahead TO "{roles.app}"')
    cursor.close()
