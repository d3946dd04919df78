"""A stranger's address makes us connect to the public internet alone, and neither wait nor read for ever."""

import asyncio
import socket
import time

import pytest

from providers.http.names import NameThreads
from providers.http.pictures import PictureRefused, PictureUnavailable, fetch_picture
from schemas.addresses import Address, is_public
from tests.providers.conftest import MakePeer
from tests.providers.hostile import NOT_PUBLIC, NOT_SOUND
from tests.providers.peer import Act, drips, floods, hangs, header, resets, says, sends, wire

PICTURE = b"\x89PNG not looked at here"


class Names:
    """A name server under our control: gives its answers in turn, the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, _port: int) -> list[str]:
        self.asked.append(host)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


async def fetched(url: str, *, timeout: float = 8.0, max_bytes: int = 1000) -> bytes:
    return await fetch_picture(url, resolver=NameThreads(), allow_private=True, max_bytes=max_bytes, timeout=timeout)


@pytest.mark.parametrize("url", NOT_PUBLIC + NOT_SOUND, ids=lambda url: ascii(url)[:60])
async def test_no_hostile_address_makes_a_connection(peer: MakePeer, url: str) -> None:
    listener = await peer(says(200, PICTURE))
    names = Names(["127.0.0.1"])
    with pytest.raises(PictureRefused):
        await fetch_picture(
            url.format(port=listener.port), allow_private=False, max_bytes=1000, timeout=8.0, resolver=names
        )
    assert (listener.connections, names.asked) == (0, [])


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"], ["::1"], ["169.254.169.254"],
        ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"], ["fe80::1%lo"], ["10.0.0.1", "10.0.0.2"], [],
    ],
    ids=str,
)  # fmt: skip
async def test_a_name_with_any_private_address_is_refused_unconnected(peer: MakePeer, addresses: list[str]) -> None:
    listener = await peer(says(200, PICTURE))
    url = f"http://pictures.example:{listener.port}/x"
    with pytest.raises(PictureRefused):
        await fetch_picture(url, allow_private=False, max_bytes=1000, timeout=8.0, resolver=Names(addresses))
    assert listener.connections == 0


@pytest.fixture
def second_loopback_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let 127.0.0.2 stand for the public internet, so that the rest of loopback can stand for our insides."""

    def judge(address: Address) -> bool:
        return str(address) == "127.0.0.2" or is_public(address)

    monkeypatch.setattr("providers.http.guarded.is_public", judge)


@pytest.mark.usefixtures("second_loopback_is_public")
async def test_a_name_that_changes_its_answer_gains_nothing(peer: MakePeer) -> None:
    inside, outside = await peer(says(200, b"secret")), await peer(says(200, PICTURE), host="127.0.0.2")
    names = Names(["127.0.0.2"], ["127.0.0.1"])
    for port, bytes_seen in ((outside.port, PICTURE), (inside.port, None)):
        fetch = fetch_picture(
            f"http://rebind.example:{port}/x", allow_private=False, max_bytes=99, timeout=8, resolver=names
        )
        if bytes_seen is None:
            with pytest.raises(PictureRefused):
                await fetch
        else:
            assert await fetch == bytes_seen
    assert names.asked == ["rebind.example"] * 2
    assert (outside.connections, inside.connections) == (1, 0)
    assert header(outside.requests[0], "host") == f"rebind.example:{outside.port}"


@pytest.mark.usefixtures("second_loopback_is_public")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0x7f.1", "inside.example", "a.internal"])
async def test_a_redirect_inwards_is_refused_unconnected(peer: MakePeer, host: str) -> None:
    inside = await peer(says(200, b"secret"))
    outside = await peer(says(302, b"", location=f"http://{host}:{inside.port}/x"), host="127.0.0.2")
    names = Names(["127.0.0.2"], ["127.0.0.1"])
    with pytest.raises(PictureRefused):
        await fetch_picture(
            f"http://pictures.example:{outside.port}/x",
            allow_private=False, max_bytes=99, timeout=8, resolver=names,
        )  # fmt: skip
    assert (outside.connections, inside.connections) == (1, 0)


async def test_an_address_that_does_not_answer_gives_way_to_the_next(peer: MakePeer) -> None:
    server = await peer(says(200, PICTURE))
    names = Names(["127.0.0.9", "127.0.0.1"])
    url = f"http://pictures.example:{server.port}/x"
    assert await fetch_picture(url, allow_private=True, max_bytes=99, timeout=8, resolver=names) == PICTURE


async def test_a_picture_is_fetched_whole_and_asked_for_plainly(peer: MakePeer) -> None:
    server = await peer(says(200, PICTURE, content_type="text/plain"))
    assert await fetched(f"{server.url}/zimmer%20ü.png?a=b#c", max_bytes=len(PICTURE)) == PICTURE
    request = server.requests[0]
    assert request.startswith(b"GET /zimmer%20%C3%BC.png?a=b HTTP/1.1\r\n")
    assert header(request, "accept-encoding") == "identity"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_up_to_five_redirects_are_followed(peer: MakePeer, status: int) -> None:
    hop = says(status, b"", location="/next")
    server = await peer(hop, hop, hop, hop, hop, says(200, PICTURE))
    assert await fetched(server.url) == PICTURE
    with pytest.raises(PictureRefused, match="more than 5"):
        await fetched((await peer(says(status, b"", location="/again"))).url)


@pytest.mark.parametrize(
    "location",
    ["", "file:///etc/passwd", "http://", "http://[", "gopher://x/", "http://u@e.com/", "http://e:0/"],
)
async def test_a_redirect_to_nowhere_is_refused(peer: MakePeer, location: str) -> None:
    with pytest.raises(PictureRefused):
        await fetched((await peer(says(302, b"", location=location))).url)


@pytest.mark.parametrize("status", [201, 204, 206, 300, 304, 400, 401, 403, 404, 410, 451])
async def test_a_host_that_has_no_picture_is_final(peer: MakePeer, status: int) -> None:
    body = b"" if status in (204, 304) else PICTURE
    with pytest.raises(PictureRefused, match=str(status)):
        await fetched((await peer(says(status, body))).url)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_a_host_in_trouble_may_be_asked_again(peer: MakePeer, status: int) -> None:
    with pytest.raises(PictureUnavailable) as caught:
        await fetched((await peer(says(status, b"", retry_after="7"))).url)
    assert caught.value.retry_after == 7


BROKEN: dict[str, Act] = {
    "closed": sends(b"", close=True),
    "reset": resets(),
    "garbage": sends(b"\x00\x01 not http\r\n\r\n", close=True),
    "cut": sends(wire(200, b"x", content_length="400"), close=True),
    "reset in the body": resets(wire(200, b"x", content_length="400")),
    "silence": hangs(),
    "silence after the head": hangs(wire(200, b"", content_length="40")),
    "a drip": drips(wire(200, PICTURE * 20)),
}


@pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN.keys())
async def test_a_broken_answer_may_be_asked_again_and_ends_in_time(peer: MakePeer, fault: Act) -> None:
    server = await peer(fault)
    began = time.monotonic()
    with pytest.raises(PictureUnavailable):
        await fetched(server.url, timeout=0.4)
    assert time.monotonic() - began < 8


async def test_redirects_share_one_time_limit(peer: MakePeer) -> None:
    async def slowly(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        writer.write(wire(302, b"", location="/again"))

    server = await peer(slowly)
    with pytest.raises(PictureUnavailable):
        await fetched(server.url, timeout=0.5)


TOO_LARGE: dict[str, Act] = {
    "announced": hangs(wire(200, b"", content_length="1001")),
    "absurdly announced": hangs(wire(200, b"", content_length="9" * 15)),
    "one byte": says(200, b"x" * 1001),
    "endless": floods(
        wire(200, b"", content_length="", transfer_encoding="chunked"),
        b"10000\r\n" + b" " * 65536 + b"\r\n",
        400,
    ),
}


@pytest.mark.parametrize("act", TOO_LARGE.values(), ids=TOO_LARGE.keys())
async def test_too_large_a_picture_is_refused_before_it_is_read(peer: MakePeer, act: Act) -> None:
    with pytest.raises(PictureRefused, match="larger than 1000"):
        await fetched((await peer(act)).url)


async def test_nothing_and_compressed_answers_are_refused(peer: MakePeer) -> None:
    for act in (says(200, b""), says(200, b"\x1f\x8b\x08", content_encoding="gzip")):
        with pytest.raises(PictureRefused):
            await fetched((await peer(act)).url)


async def test_a_host_that_is_not_there_may_be_asked_again(closed_port: int, deaf_port: int) -> None:
    for port in (closed_port, deaf_port):
        with pytest.raises(PictureUnavailable):
            await fetched(f"http://127.0.0.1:{port}/x", timeout=0.4)


async def test_a_name_that_does_not_exist_is_final_and_a_silent_name_server_is_not() -> None:
    for number, kind in ((socket.EAI_NONAME, PictureRefused), (socket.EAI_AGAIN, PictureUnavailable)):

        async def answer(_host: str, _port: int, number: int = number) -> list[str]:
            raise socket.gaierror(number, "no")

        with pytest.raises(kind):
            await fetch_picture(
                "http://pictures.example/x", allow_private=False, max_bytes=9, timeout=8, resolver=answer
            )


async def test_proxies_of_the_environment_are_ignored(peer: MakePeer, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, server = await peer(says(200, b"lie")), await peer(says(200, PICTURE))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    assert await fetched(server.url) == PICTURE
    assert proxy.connections == 0


@pytest.mark.parametrize(
    "path",
    ["/a%2Fb%7Ec.png", "/p?X-Sig=a%2Bb%3D&u=x%2Cy", "/a;b=c,d?x=[1]", "/a/../b", "//x?", "/%C3%A9/+%20"],
)
async def test_what_is_escaped_in_an_address_is_asked_for_as_it_is(peer: MakePeer, path: str) -> None:
    server = await peer(says(200, PICTURE))
    await fetched(f"{server.url}{path}")
    assert server.requests[0].split(b" ")[1].decode() == path.removesuffix("?")
