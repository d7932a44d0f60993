"""Keys by id, and what was destroyed in the order of destruction."""

from alembic import context, op

revision = "subject_keys_0001"
down_revision = None
branch_labels = None
depends_on = None

# A destroyed key keeps its row without its bytes: who asks for it is told that it is gone, not that it never was.
TABLES = """
CREATE TABLE subject_key (
    key_id text PRIMARY KEY CHECK (key_id ~ '^[0-9a-f]{32}$'),
    service text NOT NULL,
    wrapped bytea,
    subject text,
    by_name boolean NOT NULL,
    issued_at timestamptz NOT NULL DEFAULT now(),
    destroyed_at timestamptz,
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);
CREATE INDEX subject_key_subject ON subject_key (subject) WHERE subject IS NOT NULL;
CREATE TABLE destruction (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject text NOT NULL,
    key_id text NOT NULL,
    erasure_id text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX destruction_subject ON destruction (subject, seq);
CREATE INDEX destruction_erasure ON destruction (erasure_id);
"""


def upgrade() -> None:
    app = context.config.attributes["roles"].app
    for statement in TABLES.split(";"):
        if statement.strip():
            op.execute(statement)
    op.execute(f'GRANT SELECT, INSERT ON subject_key TO "{app}"')
    op.execute(f'GRANT UPDATE (wrapped, subject, destroyed_at) ON subject_key TO "{app}"')
    op.execute(f'GRANT SELECT, INSERT ON destruction TO "{app}"')
