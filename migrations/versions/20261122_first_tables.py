"""The tables of the first release."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261122_first_tables"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
INSTANT = sa.DateTime(timezone=True)


def word(name, *values):
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


FUELS = "PETROL DIESEL HYBRID PLUG_IN_HYBRID ELECTRIC LPG CNG ETHANOL HYDROGEN OTHER"
FUEL = word("fuel", *FUELS.split())
GEARBOX = word("gearbox", "MANUAL", "AUTOMATIC", "SEMI_AUTOMATIC", "OTHER")


def upgrade() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("roles", DOCUMENT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name=op.f("api_key_pkey")),
        sa.UniqueConstraint("prefix", name=op.f("api_key_prefix_key")),
    )
    op.create_index("api_key_name", "api_key", ["name"])

    op.create_table(
        "audit_event",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", KEY, nullable=False),
        sa.Column("detail", DOCUMENT, nullable=False),
        sa.Column("previous_hash", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("audit_event_pkey")),
    )
    op.create_index("audit_event_actor", "audit_event", ["actor", "id"])
    op.create_index("audit_event_subject", "audit_event", ["subject_kind", "subject_id", "id"])

    op.create_table(
        "audit_head",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("last_event", KEY, nullable=False),
        sa.Column("last_hash", sa.String(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("audit_head_single_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("audit_head_pkey")),
    )
    op.create_table(
        "idempotent_result",
        sa.Column("id", KEY, nullable=False),
        sa.Column("caller", sa.String(), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("input_hash", sa.String(), nullable=False),
        sa.Column("result", DOCUMENT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("idempotent_result_pkey")),
        sa.UniqueConstraint("caller", "operation", "key", name="idempotent_result_key"),
    )
    op.create_index("idempotent_result_created_at", "idempotent_result", ["created_at"])

    op.create_table(
        "market",
        sa.Column("id", KEY, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("settings", DOCUMENT, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("catalogue_revision", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("length(code) BETWEEN 1 AND 16", name=op.f("market_code_length")),
        sa.CheckConstraint("length(currency) = 3", name=op.f("market_currency_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("market_pkey")),
        sa.UniqueConstraint("code", name=op.f("market_code_key")),
    )
    op.create_table(
        "catalogue_entry",
        sa.Column("id", KEY, nullable=False),
        sa.Column("market_id", KEY, nullable=False),
        sa.Column("specification", sa.String(), nullable=False),
        sa.Column("brand", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("version", sa.String()),
        sa.Column("trim", sa.String()),
        sa.Column("engine", sa.String()),
        sa.Column("fuel", FUEL, nullable=False),
        sa.Column("gearbox", GEARBOX),
        sa.Column("doors", sa.Integer()),
        sa.Column("horsepower", sa.Integer()),
        sa.Column("engine_cc", sa.Integer()),
        sa.Column("first_year", sa.Integer()),
        sa.Column("last_year", sa.Integer()),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("catalogue_entry_market_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("catalogue_entry_pkey")),
        sa.UniqueConstraint("market_id", "specification", name="catalogue_entry_specification"),
    )
    op.create_index(
        "catalogue_entry_brand_model", "catalogue_entry", ["market_id", "brand", "model"]
    )

    op.create_table(
        "job",
        sa.Column("id", KEY, nullable=False),
        sa.Column("kind", word("jobkind", "TRAINING"), nullable=False),
        sa.Column("market_id", KEY, nullable=False),
        sa.Column(
            "status",
            word("jobstatus", "QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"),
            nullable=False,
        ),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("payload", DOCUMENT, nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("message", sa.String()),
        sa.Column("error", sa.String()),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("started_at", INSTANT),
        sa.Column("finished_at", INSTANT),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("handed_back", sa.Integer(), nullable=False),
        sa.Column("not_before", INSTANT),
        sa.Column("lease_owner", sa.String()),
        sa.Column("lease_until", INSTANT),
        sa.CheckConstraint("progress BETWEEN 0 AND 1", name=op.f("job_progress")),
        sa.ForeignKeyConstraint(["market_id"], ["market.id"], name=op.f("job_market_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("job_pkey")),
    )
    op.create_index("job_queue", "job", ["status", "priority", "id"])

    op.create_table(
        "strategy",
        sa.Column("id", KEY, nullable=False),
        sa.Column("market_id", KEY, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String()),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["market_id"], ["market.id"], name=op.f("strategy_market_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("strategy_pkey")),
        sa.UniqueConstraint("market_id", "name", name="strategy_name"),
    )
    op.create_table(
        "listing",
        sa.Column("id", KEY, nullable=False),
        sa.Column("market_id", KEY, nullable=False),
        sa.Column("entry_id", KEY, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("brand", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("version", sa.String()),
        sa.Column("fuel", FUEL, nullable=False),
        sa.Column("gearbox", GEARBOX),
        sa.Column("release_year", sa.Integer(), nullable=False),
        sa.Column("mileage_km", sa.Integer(), nullable=False),
        sa.Column("horsepower", sa.Integer()),
        sa.Column("engine_cc", sa.Integer()),
        sa.Column("doors", sa.Integer()),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("observed_on", sa.Date(), nullable=False),
        sa.CheckConstraint("mileage_km >= 0", name=op.f("listing_mileage_not_negative")),
        sa.CheckConstraint("price > 0", name=op.f("listing_price_positive")),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["catalogue_entry.id"], name=op.f("listing_entry_id_fkey")
        ),
        sa.ForeignKeyConstraint(["market_id"], ["market.id"], name=op.f("listing_market_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("listing_pkey")),
        sa.UniqueConstraint("market_id", "source", "reference", name="listing_reference"),
    )
    op.create_index("listing_entry", "listing", ["entry_id"])
    op.create_index("listing_model", "listing", ["market_id", "brand", "model"])
    op.create_index("listing_observed", "listing", ["market_id", "observed_on"])

    op.create_table(
        "model_version",
        sa.Column("id", KEY, nullable=False),
        sa.Column("market_id", KEY, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("algorithm", sa.String(), nullable=False),
        sa.Column("hyperparameters", DOCUMENT, nullable=False),
        sa.Column("parameters", DOCUMENT),
        sa.Column("metrics", DOCUMENT, nullable=False),
        sa.Column("coverage", sa.Float(), nullable=False),
        sa.Column("trained_rows", sa.Integer(), nullable=False),
        sa.Column("rejected_rows", sa.Integer(), nullable=False),
        sa.Column("trained_from", sa.Date()),
        sa.Column("trained_to", sa.Date()),
        sa.Column("data_sha256", sa.String(), nullable=False),
        sa.Column("job_id", KEY),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("model_version_job_id_fkey")),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("model_version_market_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("model_version_pkey")),
        sa.UniqueConstraint("market_id", "number", name="model_version_number"),
    )
    op.create_table(
        "strategy_version",
        sa.Column("id", KEY, nullable=False),
        sa.Column("strategy_id", KEY, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            word("storedstatus", "DRAFT", "SUBMITTED", "APPROVED", "REJECTED", "WITHDRAWN"),
            nullable=False,
        ),
        sa.Column("content", DOCUMENT, nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("editors", DOCUMENT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["strategy_id"], ["strategy.id"], name=op.f("strategy_version_strategy_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("strategy_version_pkey")),
        sa.UniqueConstraint("strategy_id", "number", name="strategy_version_number"),
    )
    op.create_table(
        "vehicle",
        sa.Column("id", KEY, nullable=False),
        sa.Column("market_id", KEY, nullable=False),
        sa.Column("entry_id", KEY, nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("brand", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("version", sa.String()),
        sa.Column("fuel", FUEL, nullable=False),
        sa.Column("gearbox", GEARBOX),
        sa.Column("release_year", sa.Integer(), nullable=False),
        sa.Column("mileage_km", sa.Integer(), nullable=False),
        sa.Column("doors", sa.Integer()),
        sa.Column("colour", sa.String()),
        sa.Column("horsepower", sa.Integer()),
        sa.Column("engine_cc", sa.Integer()),
        sa.Column("cost", sa.BigInteger()),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("acquired_on", sa.Date(), nullable=False),
        sa.CheckConstraint("cost >= 0", name=op.f("vehicle_cost_not_negative")),
        sa.CheckConstraint("mileage_km >= 0", name=op.f("vehicle_mileage_not_negative")),
        sa.CheckConstraint("price > 0", name=op.f("vehicle_price_positive")),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["catalogue_entry.id"], name=op.f("vehicle_entry_id_fkey")
        ),
        sa.ForeignKeyConstraint(["market_id"], ["market.id"], name=op.f("vehicle_market_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("vehicle_pkey")),
        sa.UniqueConstraint("market_id", "reference", name="vehicle_reference"),
    )
    op.create_index("vehicle_entry", "vehicle", ["entry_id"])

    op.create_table(
        "activation",
        sa.Column("id", KEY, nullable=False),
        sa.Column("market_id", KEY, nullable=False),
        sa.Column("version_id", KEY, nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("activated_by", sa.String(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("reason", sa.String()),
        sa.CheckConstraint("share > 0 AND share <= 1", name=op.f("activation_share")),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("activation_market_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["strategy_version.id"], name=op.f("activation_version_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("activation_pkey")),
    )
    op.create_index("activation_market", "activation", ["market_id", "starts_at"])
    op.create_index("activation_version", "activation", ["version_id"])

    op.create_table(
        "model_artifact",
        sa.Column("model_id", KEY, autoincrement=False, nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("signature", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"], ["model_version.id"], name=op.f("model_artifact_model_id_fkey")
        ),
        sa.PrimaryKeyConstraint("model_id", name=op.f("model_artifact_pkey")),
    )
    op.create_table(
        "price_change",
        sa.Column("id", KEY, nullable=False),
        sa.Column("vehicle_id", KEY, nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("strategy_version_id", KEY),
        sa.CheckConstraint("price > 0", name=op.f("price_change_price_positive")),
        sa.ForeignKeyConstraint(
            ["strategy_version_id"],
            ["strategy_version.id"],
            name=op.f("price_change_strategy_version_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["vehicle_id"], ["vehicle.id"], name=op.f("price_change_vehicle_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("price_change_pkey")),
    )
    op.create_index("price_change_vehicle", "price_change", ["vehicle_id", "id"])

    op.create_table(
        "promotion",
        sa.Column("id", KEY, nullable=False),
        sa.Column("market_id", KEY, nullable=False),
        sa.Column("model_id", KEY, nullable=False),
        sa.Column("promoted_by", sa.String(), nullable=False),
        sa.Column("promoted_at", INSTANT, nullable=False),
        sa.Column("forced", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String()),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("promotion_market_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["model_id"], ["model_version.id"], name=op.f("promotion_model_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("promotion_pkey")),
    )
    op.create_index("promotion_market", "promotion", ["market_id", "id"])

    op.create_table(
        "strategy_review",
        sa.Column("id", KEY, nullable=False),
        sa.Column("version_id", KEY, nullable=False),
        sa.Column("reviewer", sa.String(), nullable=False),
        sa.Column("verdict", word("verdict", "APPROVED", "REJECTED"), nullable=False),
        sa.Column("comment", sa.String()),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["strategy_version.id"], name=op.f("strategy_review_version_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("strategy_review_pkey")),
    )
    op.create_index("strategy_review_version", "strategy_review", ["version_id", "id"])

    op.create_table(
        "quote",
        sa.Column("id", KEY, nullable=False),
        sa.Column("market_id", KEY, nullable=False),
        sa.Column("description", DOCUMENT, nullable=False),
        sa.Column("match", DOCUMENT, nullable=False),
        sa.Column("facts", DOCUMENT, nullable=False),
        sa.Column("brand", sa.String(), nullable=False),
        sa.Column("fuel", FUEL, nullable=False),
        sa.Column("vehicle_id", KEY),
        sa.Column("cost", sa.BigInteger()),
        sa.Column("days_in_stock", sa.Integer()),
        sa.Column("estimation_date", sa.Date(), nullable=False),
        sa.Column("market_price", sa.BigInteger(), nullable=False),
        sa.Column("low", sa.BigInteger(), nullable=False),
        sa.Column("high", sa.BigInteger(), nullable=False),
        sa.Column("coverage", sa.Float(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("steps", DOCUMENT, nullable=False),
        sa.Column("review_reasons", DOCUMENT, nullable=False),
        sa.Column("model_id", KEY, nullable=False),
        sa.Column("strategy_version_id", KEY, nullable=False),
        sa.Column("activation_id", KEY, nullable=False),
        sa.Column("challenger", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("valid_until", INSTANT, nullable=False),
        sa.CheckConstraint("price >= 0", name=op.f("quote_price_not_negative")),
        sa.ForeignKeyConstraint(
            ["activation_id"], ["activation.id"], name=op.f("quote_activation_id_fkey")
        ),
        sa.ForeignKeyConstraint(["market_id"], ["market.id"], name=op.f("quote_market_id_fkey")),
        sa.ForeignKeyConstraint(
            ["model_id"], ["model_version.id"], name=op.f("quote_model_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["strategy_version_id"],
            ["strategy_version.id"],
            name=op.f("quote_strategy_version_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["vehicle_id"], ["vehicle.id"], name=op.f("quote_vehicle_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("quote_pkey")),
    )
    op.create_index("quote_brand", "quote", ["market_id", "brand", "id"])
    op.create_index("quote_market", "quote", ["market_id", "id"])
    op.create_index("quote_model_version", "quote", ["model_id", "id"])
    op.create_index("quote_strategy_version", "quote", ["strategy_version_id", "id"])
    op.create_index("quote_vehicle_id", "quote", ["vehicle_id"])


def downgrade() -> None:
    op.drop_table("quote")
    op.drop_table("strategy_review")
    op.drop_table("promotion")
    op.drop_table("price_change")
    op.drop_table("model_artifact")
    op.drop_table("activation")
    op.drop_table("vehicle")
    op.drop_table("strategy_version")
    op.drop_table("model_version")
    op.drop_table("listing")
    op.drop_table("strategy")
    op.drop_table("job")
    op.drop_table("catalogue_entry")
    op.drop_table("market")
    op.drop_table("idempotent_result")
    op.drop_table("audit_head")
    op.drop_table("audit_event")
    op.drop_table("api_key")
