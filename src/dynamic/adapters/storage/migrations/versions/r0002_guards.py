"""The guards: what the database itself refuses, whoever asks.

Append-only tables cannot be changed, an entry cannot be committed unbalanced or unsealed, a
sealed entry takes no further posting, the chains must continue, a plan's content is fixed and
its end is final.
"""

from alembic import op

from dynamic.adapters.storage.migrations import guards_postgresql, guards_sqlite

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Put the guards up."""
    guards = guards_sqlite if op.get_bind().dialect.name == "sqlite" else guards_postgresql
    for statement in guards.up():
        op.execute(statement)


def downgrade() -> None:
    """Take the guards down; the data stays."""
    guards = guards_sqlite if op.get_bind().dialect.name == "sqlite" else guards_postgresql
    for statement in guards.down():
        op.execute(statement)
