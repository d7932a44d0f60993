"""Migrations of one service's database, run by its owner role."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, make_url, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """The database roles that a migration grants to: the application and the projector."""

    app: str
    projector: str


def upgrade(service: str, owner_url: str, app_url: str, projector_url: str) -> None:
    """Bring the service's database to its newest shape; nothing happens if it is there.

    The names of the roles to grant to are the users of the two other URLs.
    """
    roles = Roles(app=make_url(app_url).username or "", projector=make_url(projector_url).username or "")
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migration_script"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", str(files(f"letopis.{service}") / "migrations" / "versions"))
    engine = create_engine(make_url(owner_url).set(drivername="postgresql+psycopg"))
    try:
        with engine.begin() as connection:
            # Two starts at once take turns; the lock ends with the transaction.
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('letopis.migrating'))"))
            config.attributes.update(connection=connection, roles=roles)
            command.upgrade(config, "heads")
    finally:
        engine.dispose()
