"""Open the ledgers `features` and `access` and the infrastructure of read models."""

from alembic import context, op

from letopis.common.eventstore import schema as eventstore
from letopis.common.projecting import schema as projecting

revision = "features_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    roles = context.config.attributes["roles"]
    eventstore.create(op.get_bind(), ("features", "access"), roles)
    projecting.create(op.get_bind(), roles)


def downgrade() -> None:
    raise NotImplementedError("facts are never dropped; restore a backup instead")
