"""Partitions of the copies are opened ahead by the worker."""

from importlib.resources import files

from alembic import context, op

revision = "audit_0002"
down_revision = "audit_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    app = context.config.attributes["roles"].app
    cursor = op.get_bind().connection.cursor()
    cursor.execute(files("letopis.audit.log").joinpath("ahead.sql").read_text("utf-8"))
    cursor.execute(f'GRANT EXECUTE ON FUNCTION copy.open_ahead TO "{app}"')
    cursor.close()
