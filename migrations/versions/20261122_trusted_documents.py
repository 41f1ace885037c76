"""GraphQL operations that an operator has registered."""

import sqlalchemy as sa
from alembic import op

revision = "20261122_trusted_documents"
down_revision = "20261122_stock_lists"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "trusted_document",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="trusted_document_pkey"),
    )


def downgrade() -> None:
    op.drop_table("trusted_document")
