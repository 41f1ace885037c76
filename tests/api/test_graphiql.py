"""GraphiQL, also in a real browser: it works without any other host."""

import re
import shutil
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from api.door import Example
from tests.api.garage import KEY, a_client, a_live_server, an_app

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
CHROMIUM = shutil.which("chromium")

in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium on the path")

EXAMPLES = [
    Example("Say hello", "query Hello { hello }"),
    Example(
        "Paint",
        "mutation Paint($input: PaintInput!) { paint(input: $input) { cars { id } } }",
        '{"input": {"cars": ["a"]}}',
    ),
    Example("Count", "subscription Count { count }"),
]


class Visit:
    """A browser's tab, and what it asked for and complained about."""

    def __init__(self, page: Any, url: str) -> None:
        self.page = page
        self.requested: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requested.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._listen)
        page.goto(url)
        page.wait_for_selector(".graphiql-execute-button")

    def _listen(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def give_key(self, key: str) -> None:
        self.page.fill("#key", key)
        with self.page.expect_response("**/graphql"):
            self.page.click("#key-form button")

    def run(self, tab: str, until: str) -> str:
        self.page.click(f".graphiql-tab-button:has-text('{tab}')")
        # GraphiQL takes a tenth of a second to notice which operation the tab has.
        self.page.wait_for_timeout(500)
        self.page.click(".graphiql-execute-button")
        self.page.wait_for_selector(f".result-window:has-text('{until}')")
        return str(self.page.inner_text(".result-window"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with a_live_server(an_app(examples=EXAMPLES)) as url:
        yield url


@pytest.fixture
def visit(browser: Any, url: str) -> Iterator[Visit]:
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    yield Visit(page, url)
    page.close()


def test_a_browser_is_shown_the_page_without_a_key() -> None:
    response = a_client(key=None).get("/graphql", headers=HTML)

    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "script-src 'self';" in response.headers["Content-Security-Policy"]
    assert "<title>Forecourt GraphiQL</title>" in response.text


def test_every_asset_of_the_page_is_served_here() -> None:
    client = a_client(key=None)
    page = client.get("/graphql", headers=HTML).text

    assets = re.findall(r'(?:src|href)="(?!data:)([^"]*)"', page)

    assert len(assets) >= 9
    assert {client.get(path).status_code for path in assets} == {200}
    assert all(path.startswith("/static/") for path in assets)


def test_each_library_lies_beside_its_licence() -> None:
    client = a_client(key=None)

    for path in ("graphiql/LICENSE", "graphiql-plugin-explorer/LICENSE", "react/LICENSE",
                 "react-dom/LICENSE", "graphql-ws/LICENSE.md",
                 "graphiql-plugin-explorer/LICENSE.graphiql-explorer"):  # fmt: skip
        assert "MIT" in client.get(f"/static/{path}").text


def test_an_example_cannot_end_the_script_that_holds_it() -> None:
    client = a_client(examples=[Example("</script><script>alert(1)</script>", "{ hello }")])

    assert "<script>alert" not in client.get("/graphql", headers=HTML).text


def test_a_program_gets_no_page() -> None:
    response = a_client().get("/graphql?query={hello}", headers={"Accept": "*/*"})

    assert response.json()["data"] == {"hello": "hello ana"}


def test_the_page_can_be_switched_off() -> None:
    response = a_client(graphiql=False, key=None).get("/graphql", headers=HTML)

    assert response.status_code == 401


@pytest.mark.slow
@in_a_browser
def test_examples_of_each_kind_run_with_a_key_and_without_another_host(
    visit: Visit, url: str
) -> None:
    visit.give_key(KEY)

    assert '"hello": "hello ana"' in visit.run("Hello", until="hello ana")
    assert "Q2FyOjE" in visit.run("Paint", until="cars")
    assert '"count": 3' in visit.run("Count", until='"count": 3')
    assert visit.complaints == []
    assert {urlsplit(each).netloc for each in visit.requested} == {urlsplit(url).netloc}


@pytest.mark.slow
@in_a_browser
def test_nothing_is_asked_before_there_is_a_key(visit: Visit) -> None:
    visit.page.wait_for_timeout(300)

    assert [each for each in visit.requested if each.endswith("/graphql")] == [visit.page.url]
    assert visit.page.inner_text("#key-state") == "Requests need a key."


@pytest.mark.slow
@in_a_browser
def test_the_key_lives_as_long_as_the_tab(visit: Visit, browser: Any, url: str) -> None:
    visit.give_key(KEY)

    visit.page.reload()
    another = browser.new_page()
    another.goto(url)

    assert visit.page.input_value("#key") == KEY
    assert another.input_value("#key") == ""
    another.close()


@pytest.mark.slow
@in_a_browser
def test_documentation_and_explorer_show_the_schema(visit: Visit) -> None:
    visit.give_key(KEY)

    visit.page.click("[aria-label='Show GraphiQL Explorer']")
    visit.page.wait_for_selector(".graphiql-plugin >> text=contextNumber")
    visit.page.click("[aria-label='Show Documentation Explorer']")
    visit.page.wait_for_selector(".graphiql-plugin >> text=Root Types")

    assert visit.complaints == []
