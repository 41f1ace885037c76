"""An index of quotes by time: what an experiment reads."""

from alembic import op

revision = "20261122_quote_times"
down_revision = "20261122_repricing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("quote_created", "quote", ["market_id", "created_at"])


def downgrade() -> None:
    op.drop_index("quote_created", "quote")
