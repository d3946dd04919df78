"""The pages come from this service alone and may load nothing from elsewhere."""

import re

import pytest

from schemas.problem import ProblemCode
from tests.receiver.serving import Service

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGES = ["/console", "/docs", "/docs/events", "/docs/problems"]
OUTSIDE = re.compile(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//|@import|url\(\s*["']?(?:https?:)?//""")


@pytest.mark.parametrize("address", PAGES)
async def test_a_page_has_a_policy_that_keeps_everything_else_out(shared: Service, address: str) -> None:
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
async def test_a_page_needs_nothing_that_is_not_served_here(shared: Service, address: str) -> None:
    page = (await shared.http.get(address)).text
    needed = set(re.findall(r'(?:src|href)="(/[^"#]*)"', page)) - {"/metrics"}

    assert not OUTSIDE.search(page)
    assert "<script>" not in page
    assert "style=" not in page
    for other in needed:
        assert (await shared.http.get(other)).status_code == 200, other


@pytest.mark.parametrize("name", ["console.js", "console.css", "docs.js", "docs.css", "mark.svg"])
async def test_our_own_assets_reach_nowhere_else(shared: Service, name: str) -> None:
    answer = await shared.http.get(f"/docs/assets/{name}")

    assert answer.status_code == 200
    assert not OUTSIDE.search(answer.text)
    assert {text for text in re.findall(r"https?://[^\s\"'`)]+", answer.text) if "w3.org" not in text} == set()


async def test_the_console_never_builds_markup_from_text(shared: Service) -> None:
    script = (await shared.http.get("/docs/assets/console.js")).text

    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", script)


async def test_the_console_fetches_no_caller_s_picture_unasked(shared: Service) -> None:
    script = (await shared.http.get("/docs/assets/console.js")).text
    fetching = [line.strip() for line in script.splitlines() if re.search(r"src: (url|video\.input_image), alt", line)]

    assert len(fetching) == 2
    assert "if (ours(video.input_image)) {" in script
    assert 'ask.addEventListener("click", () => ask.replaceWith(fetched(url, none)));' in script


@pytest.mark.parametrize(
    "name", ["nope.js", "..%2fapp.py", "%2e%2e/run.py", "console.html", "__init__.py", "scalar.js", ""]
)
async def test_no_other_file_is_served(shared: Service, name: str) -> None:
    assert (await shared.http.get(f"/docs/assets/{name}")).status_code == 404


@pytest.mark.parametrize("code", ProblemCode)
async def test_the_type_of_each_problem_leads_to_its_explanation(shared: Service, code: ProblemCode) -> None:
    assert f'<section id="{code}">' in (await shared.http.get("/docs/problems")).text
