"""nginx and Caddy, as configured in deploy/proxies, let providers reach the real service, and nothing else of it."""

import asyncio
import os
import re
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from setup.proxies import locate as locate_proxy
from setup.tools import locate
from tests.support.ports import free_port
from tests.support.receiver import Receiver, serving

DEPLOY = Path(__file__).parents[2] / "deploy" / "proxies"
ATTEMPT = "0198b2c4d1e87000a000000000000001"
HIDDEN = ("/", "/v1/videos", "/v1/status", "/console", "/docs", "/metrics", "/healthz", "/readyz", "/openapi.json")
"""What the private surface, or the service's own watchers, have."""


def _certificate(folder: Path) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
    files = ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")]
    subprocess.run([*command, *names, *files], check=True, capture_output=True)


def _nginx(folder: Path, *, receiver: int, port: int) -> tuple[list[str | Path], dict[str, str]]:
    nginx = locate_proxy("nginx")
    text = (DEPLOY / "nginx.conf").read_text()
    own = "daemon off; master_process off; pid nginx.pid; error_log stderr;"
    folders = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    for there, here in {
        "worker_processes auto;": own,
        "http {": f"http {{ {folders}",
        "127.0.0.1:8080": f"127.0.0.1:{receiver}",
        "listen 80;": f"listen 127.0.0.1:{free_port()};",
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "/etc/nginx/": f"{DEPLOY}/",
        "/etc/letsencrypt/live/hooks.example.com": str(folder),
        "hooks.example.com": "localhost",
    }.items():
        assert there in text
        text = text.replace(there, here)
    (folder / "nginx.conf").write_text(text)
    return [nginx.path, "-p", folder, "-e", "stderr", "-c", folder / "nginx.conf"], nginx.environment


def _caddy(folder: Path, *, receiver: int, port: int) -> tuple[list[str | Path], dict[str, str]]:
    # A certificate of our own, because no authority can reach this test.
    text = (DEPLOY / "Caddyfile").read_text()
    head = "{$PUBLIC_HOST:hooks.example.com} {"
    assert head in text
    text = text.replace(head, f"{head}\n\ttls {folder}/fullchain.pem {folder}/privkey.pem")
    text = text.replace("admin off", "admin off\n\tauto_https disable_redirects")
    (folder / "Caddyfile").write_text(text)
    environment = {
        "PUBLIC_HOST": f"https://localhost:{port}",
        "UPSTREAM": f"127.0.0.1:{receiver}",
        "HOME": str(folder),
        "PATH": os.defpath,
    }
    return [locate("caddy"), "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"], environment


@asynccontextmanager
async def _running(kind: str, folder: Path, receiver: int) -> AsyncIterator[httpx.AsyncClient]:
    _certificate(folder)
    port = free_port()
    command, environment = {"nginx": _nginx, "caddy": _caddy}[kind](folder, receiver=receiver, port=port)
    with (folder / "log").open("wb") as log:
        proxy = await asyncio.create_subprocess_exec(*command, env=environment, cwd=folder, stdout=log, stderr=log)
    trusted = ssl.create_default_context(cafile=str(folder / "fullchain.pem"))
    try:
        async with httpx.AsyncClient(
            base_url=f"https://localhost:{port}", verify=trusted, trust_env=False, timeout=20
        ) as http:
            await _answering(http, folder / "log")
            yield http
    finally:
        proxy.terminate()
        await proxy.wait()


async def _answering(http: httpx.AsyncClient, log: Path) -> None:
    for _ in range(400):
        try:
            await http.get("/")
        except httpx.TransportError:
            await asyncio.sleep(0.05)
        else:
            return
    pytest.fail(await asyncio.to_thread(log.read_text))


@pytest.fixture(params=["nginx", "caddy"])
async def behind(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Receiver, httpx.AsyncClient]]:
    """Give a receiver of all surfaces, so that only the proxy hides anything, and a client behind the proxy."""
    async with (
        serving(tmp_path / "store") as service,
        _running(request.param, tmp_path, service.port) as http,
    ):
        yield service, http


async def test_webhooks_and_pictures_come_through_and_nothing_else_does(
    behind: tuple[Receiver, httpx.AsyncClient], tmp_path: Path
) -> None:
    service, http = behind
    token = service.context.signer.webhook_token(ATTEMPT)
    unknown = await http.post("/webhooks/iacrea/not-a-token", content=b"{}")
    media = await http.get("/media/not-a-token")
    hook = await http.get(f"/webhooks/iacrea/{token}")

    assert (unknown.status_code, unknown.headers["content-type"]) == (404, "application/problem+json")
    assert (media.status_code, media.headers["content-type"]) == (404, "application/problem+json")
    assert hook.headers["content-type"] in {"application/json", "application/problem+json"}
    for path in HIDDEN:
        answer = await http.get(path)
        assert answer.status_code == 404, path
        assert "problem+json" not in answer.headers.get("content-type", ""), path
    assert token not in (tmp_path / "log").read_text()


async def test_the_path_is_handed_on_as_it_came(behind: tuple[Receiver, httpx.AsyncClient]) -> None:
    _, http = behind
    for path in ("/webhooks/../v1/videos", "/webhooks/%2e%2e/v1/videos", "/media/..%2fv1/videos", "//v1/videos"):
        answer = await http.get(path)
        assert answer.status_code in {400, 404}, path
        assert not re.search("items", answer.text), path
