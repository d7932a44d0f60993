"""Create the ledgers of inference and the tables of the machinery."""

from alembic import context, op

from letopis.common.eventstore import schema as eventstore
from letopis.common.projecting import schema as projecting

revision = "inference_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    roles = context.config.attributes["roles"]
    eventstore.create(op.get_bind(), ("inference", "decisions"), roles)
    projecting.create(op.get_bind(), roles)
