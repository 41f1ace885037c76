"""Words to search the catalogue by, and an index for each order of the stock."""

import sqlalchemy as sa
from alembic import op

revision = "20261122_stock_lists"
down_revision = "20261122_first_tables"
branch_labels = None
depends_on = None

ORDERS = {
    "vehicle_price": "price",
    "vehicle_mileage": "mileage_km",
    "vehicle_release_year": "release_year",
    "vehicle_acquired": "acquired_on",
}
ENTRY = sa.table(
    "catalogue_entry",
    sa.column("id", sa.BigInteger),
    sa.column("specification", sa.String),
    sa.column("words", sa.String),
)


def upgrade() -> None:
    op.add_column(
        "catalogue_entry", sa.Column("words", sa.String(), nullable=False, server_default="")
    )
    # The folded brand, model and version stand first in the specification.
    connection = op.get_bind()
    rows = connection.execute(sa.select(ENTRY.c.id, ENTRY.c.specification)).all()
    statement = (
        sa.update(ENTRY).where(ENTRY.c.id == sa.bindparam("entry")).values(words=sa.bindparam("w"))
    )
    if rows:
        connection.execute(
            statement,
            [
                {"entry": key, "w": " ".join(filter(None, specification.split("|")[:3]))}
                for key, specification in rows
            ],
        )
    for name, column in ORDERS.items():
        op.create_index(name, "vehicle", ["market_id", column, "id"])
    op.create_index("vehicle_brand_model", "vehicle", ["market_id", "brand", "model"])


def downgrade() -> None:
    op.drop_index("vehicle_brand_model", "vehicle")
    for name in reversed(ORDERS):
        op.drop_index(name, "vehicle")
    op.drop_column("catalogue_entry", "words")
