"""What the vehicles looked like that a model version learnt from."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261122_model_features"
down_revision = "20261122_simulations"
branch_labels = None
depends_on = None

DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("model_version", sa.Column("features", DOCUMENT, nullable=True))


def downgrade() -> None:
    op.drop_column("model_version", "features")
