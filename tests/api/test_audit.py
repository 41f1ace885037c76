from domain import jobs, tables
from domain.tables import Role
from tests.api.shop import Shop
from tests.api.test_strategies import a_draft

EVENTS = """
query ($subject: ID, $actor: String) {
  auditEvents(subject: $subject, actor: $actor) {
    totalCount
    edges { node { id actor action subject detail } }
  }
}
"""


def test_the_trail_is_for_approvers_and_administrators(shop: Shop) -> None:
    refused = shop.ask(EVENTS, role=Role.PRICING)

    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    for role in (Role.APPROVER, Role.ADMIN):
        assert shop.data(EVENTS, role=role)["auditEvents"]["totalCount"] > 0


def test_events_are_found_by_subject_and_actor(shop: Shop) -> None:
    version = a_draft(shop)["id"]

    found = shop.data(EVENTS, {"subject": version, "actor": "pricing"}, role=Role.ADMIN)

    (edge,) = found["auditEvents"]["edges"]
    assert edge["node"] | {"id": ""} == {
        "id": "",
        "actor": "pricing",
        "action": "strategy.created",
        "subject": version,
        "detail": edge["node"]["detail"],
    }
    assert edge["node"]["detail"]["name"] == "Spring"


def test_what_befell_a_job_names_it_by_its_kind(shop: Shop) -> None:
    with shop.database() as database, database.unit_of_work() as session:
        market = session.get_one(tables.Market, 1)
        job = jobs.enqueue(
            session,
            kind=tables.JobKind.SIMULATION,
            market_id=market.id,
            payload={"filter": {}},
            by="pricing",
            now=shop.now,
        )
        jobs.cancel(session, job.id, by="data_science", now=shop.now)

    events = shop.data(EVENTS, {"actor": "data_science"}, role=Role.ADMIN)["auditEvents"]["edges"]
    (cancelled,) = [each for each in events if each["node"]["action"] == "job.cancelled"]
    subject = cancelled["node"]["subject"]
    node = shop.data("query ($id: ID!) { node(id: $id) { __typename } }", {"id": subject})["node"]

    assert node == {"__typename": "SimulationRun"}
    by_subject = shop.data(EVENTS, {"subject": subject}, role=Role.ADMIN)["auditEvents"]
    assert by_subject["totalCount"] == 1


def test_an_id_that_nobody_gave_is_not_found(shop: Shop) -> None:
    body = shop.ask(EVENTS, {"subject": "nonsense"}, role=Role.ADMIN)

    assert body["errors"][0]["extensions"] == {"code": "NOT_FOUND", "field": ["subject"]}


def test_everybody_reads_the_history_of_a_version_and_nothing_beyond(shop: Shop) -> None:
    version = a_draft(shop)["id"]
    document = "query ($id: ID!) { node(id: $id) { ... on AuditEvent { action } } }"
    every = shop.data(EVENTS, role=Role.ADMIN)["auditEvents"]["edges"]
    of_a_key = next(each["node"]["id"] for each in every if each["node"]["action"] == "key.created")

    history = shop.data(
        "query ($id: ID!) { node(id: $id) { ... on StrategyVersion { history { id action } } } }",
        {"id": version},
    )["node"]["history"]

    assert [event["action"] for event in history] == ["strategy.created"]
    assert shop.data(document, {"id": history[0]["id"]})["node"] == {"action": "strategy.created"}
    assert shop.data(document, {"id": of_a_key})["node"] is None
    assert shop.data(document, {"id": of_a_key}, role=Role.ADMIN)["node"] is not None
