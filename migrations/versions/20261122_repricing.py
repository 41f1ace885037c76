"""Repricings of the stock."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261122_repricing"
down_revision = "20261122_sales"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "repricing",
        sa.Column("job_id", KEY, autoincrement=False, nullable=False),
        sa.Column("filter", DOCUMENT, nullable=False),
        sa.Column("model_id", KEY, nullable=False),
        sa.Column("strategy_version_id", KEY, nullable=False),
        sa.Column("challenger_id", KEY),
        sa.Column("estimation_date", sa.Date(), nullable=False),
        sa.Column("done_until", KEY, nullable=False),
        sa.Column("repriced", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["challenger_id"], ["activation.id"], name=op.f("repricing_challenger_id_fkey")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("repricing_job_id_fkey")),
        sa.ForeignKeyConstraint(
            ["model_id"], ["model_version.id"], name=op.f("repricing_model_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["strategy_version_id"],
            ["strategy_version.id"],
            name=op.f("repricing_strategy_version_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("job_id", name=op.f("repricing_pkey")),
    )
    _allow_kinds("TRAINING", "SIMULATION", "REPRICING")


def downgrade() -> None:
    op.drop_table("repricing")
    op.execute("DELETE FROM job WHERE kind = 'REPRICING'")
    _allow_kinds("TRAINING", "SIMULATION")


def _allow_kinds(*kinds: str) -> None:
    """Change what the column ``job.kind`` may hold."""
    allowed = "kind IN ({})".format(", ".join(f"'{kind}'" for kind in kinds))
    with op.batch_alter_table("job") as job:
        job.drop_constraint(op.f("job_jobkind"), type_="check")
        job.create_check_constraint(op.f("job_jobkind"), sa.text(allowed))
