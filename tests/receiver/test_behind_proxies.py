"""Behind nginx and haproxy, which share kept connections, everybody gets the answer to what they asked."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from setup.proxies import locate
from tests.support.ports import free_port
from tests.support.raw_http import connected
from tests.support.receiver import URL_REQUEST, Receiver, serving
from tests.support.waiting import GIVE_UP_SECONDS

pytestmark = pytest.mark.asyncio(loop_scope="module")

NGINX = """
daemon off; master_process off; pid nginx.pid; error_log nginx.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    upstream receiver {{ server 127.0.0.1:{receiver}; keepalive 4; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://receiver; proxy_http_version 1.1; proxy_set_header Host localhost;
            {headers}
        }}
    }}
}}
"""
HAPROXY = """
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    http-reuse always
frontend public
    bind 127.0.0.1:{port}
    http-request set-header Host localhost
    default_backend receiver
backend receiver
    server one 127.0.0.1:{receiver}
"""
KEPT = 'proxy_set_header Connection "";'
WEBSOCKETS = (
    'proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; proxy_request_buffering off;'
)


async def _start(kind: str, folder: Path, *, receiver: int, port: int) -> asyncio.subprocess.Process:
    config = folder / "proxy.conf"
    name = kind.partition(" ")[0]
    text = HAPROXY if name == "haproxy" else NGINX
    headers = WEBSOCKETS if "websockets" in kind else KEPT
    config.write_text(text.format(receiver=receiver, port=port, headers=headers))
    proxy = locate(name)
    arguments: list[str | Path] = (
        ["-db", "-f", config] if name == "haproxy" else ["-p", folder, "-e", folder / "nginx.log", "-c", config]
    )
    return await asyncio.create_subprocess_exec(proxy.path, *arguments, env=proxy.environment, cwd=folder)


@pytest_asyncio.fixture(
    scope="module", loop_scope="module", params=["nginx", "nginx as for websockets", "haproxy with http-reuse always"]
)
async def behind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Receiver]:
    """Give a receiver, and a client that reaches it through a proxy."""
    folder = tmp_path_factory.mktemp("proxy")
    port = free_port()
    async with serving(folder) as service:
        proxy = await _start(request.param, folder, receiver=service.port, port=port)
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
                await _answering(http)
                yield Receiver(service.context, http)
        finally:
            proxy.terminate()
            await proxy.wait()


async def _answering(http: httpx.AsyncClient) -> None:
    async with asyncio.timeout(GIVE_UP_SECONDS):
        while True:
            try:
                if (await http.get("/healthz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)


def _port(service: Receiver) -> int:
    port = service.http.base_url.port
    assert port is not None
    return port


SMUGGLED = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nxx: "
BODIES = {
    "a word in the body": b"\r\nupgrade: x" * (len(SMUGGLED) // 2) + SMUGGLED,
    "a request in the body": SMUGGLED * 3,
    "a large body": b"\r\nupgrade: x" * 5_000 + SMUGGLED,
}
HEADERS = {
    "plain": b"",
    "h2c": b"connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAARAAAAA\r\n",
    "websocket": b"connection: upgrade\r\nupgrade: websocket\r\n",
}


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_nobody_gets_the_answer_to_another_s_request(behind: Receiver, body: bytes, headers: bytes) -> None:
    head = b"POST /nowhere HTTP/1.1\r\nhost: localhost\r\n%scontent-length: %d\r\n\r\n" % (headers, len(body))
    for _ in range(10):
        async with connected(_port(behind)) as attacker:
            await attacker.send(head + body)
            assert (await attacker.answer()).status in {400, 404}
            victim = await behind.http.get("/v1/videos", params={"limit": 1})
            assert (victim.status_code, list(victim.json())) == (200, ["items", "next_cursor"])


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
async def test_every_body_arrives_as_it_was_sent(behind: Receiver, headers: bytes) -> None:
    for number in range(10):
        prompt = f"{number}\r\nUpgrade: new kitchen\r\n\r\nGET / HTTP/1.1\r\n\r\n"
        body = json.dumps({**URL_REQUEST, "prompt": prompt}).encode()
        head = b"POST /v1/videos HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        async with connected(_port(behind)) as client:
            await client.send(head + headers + b"content-length: %d\r\n\r\n" % len(body) + body)
            answer = await client.answer()
        assert (answer.status, json.loads(answer.body)["prompt"]) == (202, prompt)


async def test_a_body_in_chunks_is_one_request(behind: Receiver) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for byte in json.dumps({**URL_REQUEST, "prompt": "in chunks"}).encode():
            yield bytes([byte])

    for _ in range(5):
        answer = await behind.http.post("/v1/videos", content=pieces(), headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()["prompt"]) == (202, "in chunks")
