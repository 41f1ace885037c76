"""Clients, orders and payments."""

import sqlalchemy as sa
from alembic import op

revision = "20261122_sales"
down_revision = "20261122_model_features"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
LIVE = sa.text("status <> 'CANCELLED'")


def word(name, *values):
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    op.create_table(
        "client",
        sa.Column("id", KEY, nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.CheckConstraint("email = lower(email)", name=op.f("client_email_lower")),
        sa.PrimaryKeyConstraint("id", name=op.f("client_pkey")),
        sa.UniqueConstraint("email", name="client_email"),
    )
    op.create_index(
        "client_email_start", "client", ["email"], postgresql_ops={"email": "text_pattern_ops"}
    )

    op.create_table(
        "sales_order",
        sa.Column("id", KEY, nullable=False),
        sa.Column("market_id", KEY, nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("client_id", KEY, nullable=False),
        sa.Column("vehicle_id", KEY, nullable=False),
        sa.Column("quote_id", KEY),
        sa.Column("total_price", sa.BigInteger(), nullable=False),
        sa.Column(
            "status",
            word("orderstatus", "PENDING", "ACCEPTED", "PAID", "CANCELLED"),
            nullable=False,
        ),
        sa.Column("ordered_on", sa.Date(), nullable=False),
        sa.CheckConstraint("total_price >= 0", name=op.f("sales_order_total_not_negative")),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client.id"], name=op.f("sales_order_client_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("sales_order_market_id_fkey")
        ),
        sa.ForeignKeyConstraint(["quote_id"], ["quote.id"], name=op.f("sales_order_quote_id_fkey")),
        sa.ForeignKeyConstraint(
            ["vehicle_id"], ["vehicle.id"], name=op.f("sales_order_vehicle_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("sales_order_pkey")),
        sa.UniqueConstraint("market_id", "reference", name="sales_order_reference"),
    )
    op.create_index("sales_order_client", "sales_order", ["client_id", "id"])
    op.create_index(
        "sales_order_live",
        "sales_order",
        ["vehicle_id"],
        unique=True,
        postgresql_where=LIVE,
        sqlite_where=LIVE,
    )
    op.create_index("sales_order_ordered", "sales_order", ["market_id", "ordered_on", "id"])
    op.create_index("sales_order_quote", "sales_order", ["quote_id"])
    op.create_index("sales_order_total", "sales_order", ["market_id", "total_price", "id"])
    op.create_index("sales_order_vehicle", "sales_order", ["vehicle_id"])

    op.create_table(
        "payment",
        sa.Column("id", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column(
            "type",
            word("paymenttype", "CASH", "CARD", "CHEQUE", "TRANSFER", "FINANCING"),
            nullable=False,
        ),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("payment_amount_not_negative")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["sales_order.id"], name=op.f("payment_order_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("payment_pkey")),
        sa.UniqueConstraint("order_id", "reference", name="payment_reference"),
    )


def downgrade() -> None:
    op.drop_table("payment")
    op.drop_table("sales_order")
    op.drop_table("client")
