"""What was sold, for back-tests of strategies and as training data."""

import sqlalchemy as sa
from alembic import op

revision = "20261122_sales_loop"
down_revision = "20261122_quote_times"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "simulation",
        sa.Column("on_sales", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column(
        "model_version",
        sa.Column("sold_rows", sa.Integer(), server_default="0", nullable=False),
    )


def downgrade() -> None:
    with op.batch_alter_table("model_version") as version:
        version.drop_column("sold_rows")
    with op.batch_alter_table("simulation") as simulation:
        simulation.drop_column("on_sales")
