"""Simulations of strategy versions, and which one a reviewer could see."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261122_simulations"
down_revision = "20261122_trusted_documents"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "simulation",
        sa.Column("id", KEY, nullable=False),
        sa.Column("version_id", KEY, nullable=False),
        sa.Column("content", DOCUMENT, nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("baseline_id", KEY),
        sa.Column("baseline_content", DOCUMENT),
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("requested_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["baseline_id"], ["strategy_version.id"], name=op.f("simulation_baseline_id_fkey")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("simulation_job_id_fkey")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["strategy_version.id"], name=op.f("simulation_version_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("simulation_pkey")),
        sa.UniqueConstraint("job_id", name=op.f("simulation_job_id_key")),
    )
    op.create_index("simulation_version", "simulation", ["version_id", "content_hash", "id"])
    op.create_table(
        "simulation_result",
        sa.Column("simulation_id", KEY, autoincrement=False, nullable=False),
        sa.Column("model_id", KEY, nullable=False),
        sa.Column("estimation_date", sa.Date(), nullable=False),
        sa.Column("summary", DOCUMENT, nullable=False),
        sa.Column("vehicles", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"], ["model_version.id"], name=op.f("simulation_result_model_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["simulation_id"], ["simulation.id"], name=op.f("simulation_result_simulation_id_fkey")
        ),
        sa.PrimaryKeyConstraint("simulation_id", name=op.f("simulation_result_pkey")),
    )
    with op.batch_alter_table("strategy_review") as review:
        review.add_column(sa.Column("simulation_id", KEY))
        review.create_foreign_key(
            op.f("strategy_review_simulation_id_fkey"), "simulation", ["simulation_id"], ["id"]
        )
    _allow_kinds("TRAINING", "SIMULATION")


def downgrade() -> None:
    op.execute("DELETE FROM simulation_result")
    with op.batch_alter_table("strategy_review") as review:
        review.drop_constraint(op.f("strategy_review_simulation_id_fkey"), type_="foreignkey")
        review.drop_column("simulation_id")
    op.drop_table("simulation_result")
    op.drop_table("simulation")
    op.execute("DELETE FROM job WHERE kind = 'SIMULATION'")
    _allow_kinds("TRAINING")


def _allow_kinds(*kinds: str) -> None:
    """Change what the column ``job.kind`` may hold."""
    allowed = "kind IN ({})".format(", ".join(f"'{kind}'" for kind in kinds))
    with op.batch_alter_table("job") as job:
        job.drop_constraint(op.f("job_jobkind"), type_="check")
        job.create_check_constraint(op.f("job_jobkind"), sa.text(allowed))
