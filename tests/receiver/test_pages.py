"""The pages come from this service alone and may load nothing from elsewhere."""

import re
from pathlib import Path

import pytest

import receiver
from receiver import documents
from schemas.problem import ProblemCode
from tests.support.receiver import Receiver

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGES = ["/console", "/console/videos/some-id", "/docs", "/docs/events", "/docs/problems"]
MODULES = sorted(path.name for path in (Path(receiver.__file__).parent / "pages").glob("console*.js"))
OUTSIDE = re.compile(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//|@import|url\(\s*["']?(?:https?:)?//""")


@pytest.mark.parametrize("address", PAGES)
async def test_a_page_has_a_policy_that_keeps_everything_else_out(shared: Receiver, address: str) -> None:
    answer = await shared.http.get(address)

    policy = answer.headers["content-security-policy"]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "connect-src 'self';" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("address", PAGES)
async def test_a_page_needs_nothing_that_is_not_served_here(shared: Receiver, address: str) -> None:
    page = (await shared.http.get(address)).text
    needed = set(re.findall(r'(?:src|href)="(/[^"#]*)"', page)) - {"/metrics"}

    assert not OUTSIDE.search(page)
    assert "<script>" not in page
    assert "style=" not in page
    for other in needed:
        assert (await shared.http.get(other)).status_code == 200, other


@pytest.mark.parametrize("address", ["/docs", "/docs/events"])
async def test_without_the_viewers_a_page_leads_to_the_documents_and_names_the_mend(
    shared: Receiver, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "_VIEWERS", tmp_path)

    page = (await shared.http.get(address)).text

    assert "<code>make viewers</code>" in page
    assert 'href="/openapi.json"' in page
    assert 'href="/asyncapi.json"' in page
    assert (await shared.http.get("/docs/assets/redoc.standalone.js")).status_code == 404


@pytest.mark.parametrize("name", [*MODULES, "console.css", "docs.js", "docs.css", "mark.svg"])
async def test_our_own_assets_reach_nowhere_else(shared: Receiver, name: str) -> None:
    answer = await shared.http.get(f"/docs/assets/{name}")

    assert answer.status_code == 200
    assert not OUTSIDE.search(answer.text)
    assert {text for text in re.findall(r"https?://[^\s\"'`)]+", answer.text) if "w3.org" not in text} == set()


async def test_an_asset_that_a_browser_has_already_is_not_sent_again(shared: Receiver) -> None:
    first = await shared.http.get("/docs/assets/console.js")
    again = await shared.http.get("/docs/assets/console.js", headers={"if-none-match": first.headers["etag"]})

    assert (first.headers["cache-control"], again.status_code, again.content) == ("no-cache", 304, b"")
    assert again.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", MODULES)
async def test_the_console_never_builds_markup_from_text(shared: Receiver, name: str) -> None:
    script = (await shared.http.get(f"/docs/assets/{name}")).text

    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", script)


@pytest.mark.parametrize("name", MODULES)
async def test_each_module_of_the_console_imports_modules_that_are_served(shared: Receiver, name: str) -> None:
    script = (await shared.http.get(f"/docs/assets/{name}")).text
    imported = re.findall(r'^import .* from "\./(.*)";$', script, re.MULTILINE)

    assert len(imported) == len(re.findall(r"^import ", script, re.MULTILINE))
    assert set(imported) <= set(MODULES)
    assert len(script.splitlines()) <= 250


@pytest.mark.parametrize(
    "name", ["nope.js", "..%2fapp.py", "%2e%2e/run.py", "console.html", "__init__.py", "scalar.js", ""]
)
async def test_no_other_file_is_served(shared: Receiver, name: str) -> None:
    assert (await shared.http.get(f"/docs/assets/{name}")).status_code == 404


@pytest.mark.parametrize("code", ProblemCode)
async def test_the_type_of_each_problem_leads_to_its_explanation(shared: Receiver, code: ProblemCode) -> None:
    assert f'<section id="{code}">' in (await shared.http.get("/docs/problems")).text


async def test_llms_txt_is_text_whose_links_are_answered(shared: Receiver) -> None:
    answer = await shared.http.get("/llms.txt")
    links = re.findall(r"\]\((/\S+)\)", answer.text)

    assert answer.headers["content-type"].startswith("text/plain")
    assert len(links) >= 5
    for link in links:
        assert (await shared.http.get(link)).status_code == 200, link
