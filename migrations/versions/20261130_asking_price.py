"""What a vehicle is offered for, in a table of its own."""

import sqlalchemy as sa
from alembic import op

revision = "20261130_asking_price"
down_revision = "20261122_repricing_parts"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.drop_index("vehicle_price", "vehicle")
    with op.batch_alter_table("vehicle") as vehicle:
        vehicle.create_unique_constraint("vehicle_of_market", ["market_id", "id"])
    op.create_table(
        "asking_price",
        sa.Column("vehicle_id", KEY, autoincrement=False, nullable=False),
        sa.Column("market_id", KEY, nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("price > 0", name=op.f("asking_price_price_positive")),
        sa.ForeignKeyConstraint(
            ["market_id", "vehicle_id"],
            ["vehicle.market_id", "vehicle.id"],
            name="asking_price_vehicle",
        ),
        sa.PrimaryKeyConstraint("vehicle_id", name=op.f("asking_price_pkey")),
    )
    op.execute(
        "INSERT INTO asking_price (vehicle_id, market_id, price)"
        " SELECT id, market_id, price FROM vehicle"
    )
    op.create_index("asking_price_order", "asking_price", ["market_id", "price", "vehicle_id"])
    with op.batch_alter_table("vehicle") as vehicle:
        vehicle.drop_constraint(op.f("vehicle_price_positive"), type_="check")
        vehicle.drop_column("price")


def downgrade() -> None:
    op.add_column("vehicle", sa.Column("price", sa.BigInteger()))
    op.execute(
        "UPDATE vehicle SET price ="
        " (SELECT price FROM asking_price WHERE asking_price.vehicle_id = vehicle.id)"
    )
    op.drop_table("asking_price")
    with op.batch_alter_table("vehicle") as vehicle:
        vehicle.alter_column("price", existing_type=sa.BigInteger(), nullable=False)
        vehicle.create_check_constraint(op.f("vehicle_price_positive"), sa.text("price > 0"))
        vehicle.drop_constraint("vehicle_of_market", type_="unique")
    op.create_index("vehicle_price", "vehicle", ["market_id", "price", "id"])
