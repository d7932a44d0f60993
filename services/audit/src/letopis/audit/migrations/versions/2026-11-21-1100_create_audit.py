"""The audit ledger, and the copies of everybody's ledgers."""

from importlib.resources import files

from alembic import context, op

from letopis.common.eventstore import schema
from letopis.common.ledgers import LEDGERS
from letopis.common.projecting import schema as projecting

revision = "audit_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    roles = context.config.attributes["roles"]
    connection = op.get_bind()
    schema.create(connection, ("audit",), roles)
    projecting.create(connection, roles)
    cursor = connection.connection.cursor()
    cursor.execute(files("letopis.audit.log").joinpath("copy.sql").read_text("utf-8"))
    for ledger in LEDGERS:
        for number in (0, 1):
            cursor.execute("SELECT copy.open_partition(%s, %s)", (ledger, number))
    cursor.execute(f'GRANT USAGE ON SCHEMA copy TO "{roles.app}"')
    cursor.execute(f'GRANT SELECT, INSERT ON copy.record TO "{roles.app}"')
    cursor.close()
