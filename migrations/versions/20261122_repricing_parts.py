"""Parts of large repricings."""

import sqlalchemy as sa
from alembic import op

revision = "20261122_repricing_parts"
down_revision = "20261122_sales_loop"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "repricing_part",
        sa.Column("job_id", KEY, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("done_until", KEY, nullable=False),
        sa.Column("ends_at", KEY, nullable=False),
        sa.Column("repriced", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["repricing.job_id"], name=op.f("repricing_part_job_id_fkey")
        ),
        sa.PrimaryKeyConstraint("job_id", "number", name=op.f("repricing_part_pkey")),
    )


def downgrade() -> None:
    op.drop_table("repricing_part")
