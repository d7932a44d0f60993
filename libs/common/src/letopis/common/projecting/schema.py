"""Tables that the machinery of views, relay and reactions needs; every service's first migration makes them."""

from importlib.resources import files

from sqlalchemy import Connection

from letopis.common.migrating import Roles


def create(connection: Connection, roles: Roles) -> None:
    """Create schemas `projecting`, `outbox` and `reacting`, as the owner.

    The projector builds views and keeps their checkpoints; the application reads them, and keeps the relay's
    and the reactions' progress.
    """
    app, projector = f'"{roles.app}"', f'"{roles.projector}"'
    cursor = connection.connection.cursor()
    cursor.execute(files(__package__).joinpath("schema.sql").read_text("utf-8"))
    both = ", ".join(dict.fromkeys((app, projector)))
    for grant in (
        f"USAGE ON SCHEMA projecting TO {both}",
        f"SELECT ON ALL TABLES IN SCHEMA projecting TO {both}",
        f"INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA projecting TO {projector}",
        f"USAGE ON SCHEMA outbox, reacting TO {app}",
        f"SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA outbox, reacting TO {app}",
        f"DELETE ON reacting.parked TO {app}",
    ):
        cursor.execute(f"GRANT {grant}")
    cursor.close()
