"""The broker over TLS: both sides show certificates, and whoever shows none, or a stranger's, is let in nowhere."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aio_pika.exceptions import AMQPConnectionError
from pydantic import SecretStr

from process.settings import Settings
from publisher import topology
from publisher.broker_state import BrokerState
from publisher.connect import connect
from publisher.connection_errors import reason
from publisher.supervisor import link
from sandbox.broker import isolation
from sandbox.broker.node import Node
from tests.publisher.conftest import QUICK
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(360)

_TLS = """\
listeners.ssl.1 = 127.0.0.1:{port}
ssl_options.cacertfile = {folder}/ca.pem
ssl_options.certfile = {folder}/broker.pem
ssl_options.keyfile = {folder}/broker.key
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
"""


@dataclass(frozen=True)
class Secure:
    """A broker that speaks TLS, and the folder of an authority's certificates."""

    port: int
    folder: Path

    def settings(self, *, ca: str = "ca", client: str | None = "publisher") -> Settings:
        """Give settings that trust an authority and show a client's certificate, or none."""
        files = {"cafile": self.folder / f"{ca}.pem"}
        if client:
            files |= {"certfile": self.folder / f"{client}.pem", "keyfile": self.folder / f"{client}.key"}
        query = "&".join(f"{name}={path}" for name, path in files.items())
        return Settings(amqp_url=SecretStr(f"amqps://guest:guest@localhost:{self.port}/?{query}"))


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    node_folder = tmp_path_factory.mktemp("broker")
    folder = node_folder / "certificates"  # a node of another release sees no other folder
    folder.mkdir()
    for authority, names in (("ca", ("broker", "publisher")), ("stranger", ("intruder",))):
        _openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={authority}",
                 "-keyout", f"{authority}.key", "-out", f"{authority}.pem")  # fmt: skip
        for name in names:
            _openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                     "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE",
                     "-CA", f"{authority}.pem", "-CAkey", f"{authority}.key",
                     "-keyout", f"{name}.key", "-out", f"{name}.pem")  # fmt: skip
    port = isolation.free_ports().amqp
    node = Node(node_folder, configuration=_TLS.format(port=port, folder=folder))
    node.start(owner=os.getpid())
    asyncio.run(eventually(lambda: not isolation.is_free(port), what="the listener for TLS"))  # opened after the other
    yield Secure(port, folder)
    node.stop(now=True)


def _openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


async def test_a_publisher_with_a_certificate_is_let_in_and_declares_what_it_needs(secure: Secure) -> None:
    async with link(secure.settings(), BrokerState(), QUICK, name="test") as opened:
        absent = await topology.missing(opened.connection, topology.events, "video.events", within=QUICK.declare)
    assert absent == []


@pytest.mark.parametrize("client", [None, "intruder"])
async def test_who_shows_no_certificate_or_a_strangers_is_not_let_in(secure: Secure, client: str | None) -> None:
    with pytest.raises(AMQPConnectionError):
        await connect(secure.settings(client=client), QUICK, name="test")


async def test_a_broker_that_shows_a_strangers_certificate_is_told_as_such(secure: Secure) -> None:
    with pytest.raises(AMQPConnectionError) as refused:
        await connect(secure.settings(ca="stranger"), QUICK, name="test")
    assert "certificate verify failed; see cafile" in reason(refused.value)
    assert str(secure.folder) not in reason(refused.value)
