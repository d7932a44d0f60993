"""Databases and roles of services: one database each, an owner for migrations, an app, a projector."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

ROLES = ("owner", "app", "projector")


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A service's database and the URLs of those who enter it."""

    name: str
    superuser_url: str
    owner_url: str
    app_url: str
    projector_url: str


def with_login(url: str, user: str, password: str, database: str) -> str:
    """The same server's URL for another user and database."""
    parts = urlsplit(url)
    server = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{server}", path=f"/{database}"))


def in_database(url: str, database: str) -> str:
    """The same server and user in another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def describe(superuser_url: str, service: str, passwords: Mapping[str, str], name: str = "") -> Database:
    """The URLs of a service's database; `passwords` by owner, app and projector."""
    database = name or f"letopis_{service}"
    urls = {r: with_login(superuser_url, f"letopis_{service}_{r}", passwords[r], database) for r in ROLES}
    return Database(
        name=database,
        superuser_url=in_database(superuser_url, database),
        owner_url=urls["owner"],
        app_url=urls["app"],
        projector_url=urls["projector"],
    )


def create_roles(connection: psycopg.Connection, service: str, passwords: Mapping[str, str]) -> None:
    """Make the service's three roles, or set their passwords again; only SCRAM verifiers reach the server."""
    for role in ROLES:
        name = f"letopis_{service}_{role}"
        if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (name,)).fetchone() is None:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
        verifier = connection.pgconn.encrypt_password(
            passwords[role].encode(), name.encode(), b"scram-sha-256"
        ).decode()
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(name), sql.Literal(verifier)))


def create_database(connection: psycopg.Connection, service: str, name: str = "", template: str = "template0") -> None:
    """Make the service's database (from a template, in tests) unless it exists, with its grants.

    The owner makes schema `es` and infrastructure, the projector makes `rm_*`; nobody else may even connect.
    """
    database = name or f"letopis_{service}"
    if connection.execute("SELECT FROM pg_database WHERE datname = %s", (database,)).fetchone() is None:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                sql.Identifier(database), sql.Identifier(template), sql.Identifier(f"letopis_{service}_owner")
            )
        )
    names = {role: sql.Identifier(f"letopis_{service}_{role}") for role in ROLES}
    for grant in (
        "REVOKE ALL ON DATABASE {database} FROM PUBLIC",
        "GRANT CONNECT ON DATABASE {database} TO {app}, {projector}",
        # The engine flushes by COPY into a temporary table and makes a schema for each version of a view.
        "GRANT CREATE, TEMPORARY ON DATABASE {database} TO {projector}",
    ):
        connection.execute(sql.SQL(grant).format(database=sql.Identifier(database), **names))


def let_app_read(connection: psycopg.Connection, service: str) -> None:
    """Within the database: what the projector makes, the application may read and never write."""
    app, projector = (sql.Identifier(f"letopis_{service}_{role}") for role in ("app", "projector"))
    for grant in ("USAGE ON SCHEMAS", "SELECT ON TABLES"):
        connection.execute(
            sql.SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {} GRANT {} TO {}").format(projector, sql.SQL(grant), app)
        )


def provision(superuser_url: str, service: str, passwords: Mapping[str, str]) -> Database:
    """Everything a service's database needs before its migrations; nothing changes if it is there."""
    database = describe(superuser_url, service, passwords)
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        create_roles(connection, service, passwords)
        create_database(connection, service)
    with psycopg.connect(database.superuser_url, autocommit=True) as connection:
        let_app_read(connection, service)
    return database
