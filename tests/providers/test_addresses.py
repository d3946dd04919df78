"""An address that is not public is recognised in every notation; a sound one is left alone."""

import socket
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.addresses import image_url_fault, is_public, output_url_usable
from tests.providers.hostile import NOT_PUBLIC, NOT_SOUND

SOUND = [
    "https://example.com/room.png", "http://example.com", "https://example.com:8443/a?b=c#d",
    "HTTPS://EXAMPLE.COM/x",
    "https://bücher.example/zimmer.png", "https://例え.example/", "https://8.8.8.8/x.png",
    "https://example.com./x",
    "https://[2606:4700:4700::1111]/x", "https://[2606:4700:4700::1111]:8443/x", "https://134744072/x",
    "https://storage.googleapis.com/b/o.png?X-Goog-Signature=a%2Fb", "https://a_b.example.com/x",
    "https://x.io:/x",
    "https://local.example/x", "https://internal.example.org/x", "https://notlocalhost.com/",
    "https://10.example.com/",
    "https://1e100.net/", "https://0x.example/", "https://e.com/@x", "https://e.com/?u=a@b",
    "https://e.com/" + "x" * 2000,
]  # fmt: skip


@pytest.mark.parametrize("url", SOUND)
def test_a_sound_public_address_has_no_fault(url: str) -> None:
    assert image_url_fault(url, allow_private=False) is None
    assert output_url_usable(url)


@pytest.mark.parametrize("url", NOT_PUBLIC, ids=ascii)
def test_an_address_that_is_not_public_is_named_and_allowed_only_where_asked(url: str) -> None:
    fault = image_url_fault(url.format(port=80), allow_private=False)
    assert fault is not None
    assert fault.startswith("must be public")
    assert image_url_fault(url.format(port=80), allow_private=True) is None


@pytest.mark.parametrize("url", NOT_SOUND, ids=lambda url: ascii(url)[:60])
def test_an_address_that_is_not_sound_is_refused_everywhere(url: str) -> None:
    for allow_private in (False, True):
        fault = image_url_fault(url.format(port=80), allow_private=allow_private)
        assert fault is not None
        assert fault.startswith(("must ", "has "))
        assert "\n" not in fault


@pytest.mark.parametrize("url", ["http://127.0.0.1:9100/v.mp4", "http://localhost/v.mp4", "http://[::1]/v.mp4"])
def test_a_video_may_lie_on_a_private_host_only_where_that_is_allowed(url: str) -> None:
    assert output_url_usable(url, allow_private=True)
    assert not output_url_usable(url)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104  nothing is bound here
        "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.255", "169.254.169.254",
        "172.16.0.1", "192.0.0.1", "192.0.0.9", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1",
        "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
        "168.63.129.16",
        "::", "::1", "::ffff:8.8.8.8", "::8.8.8.8", "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1",
        "2001:db8::1", "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd00::1", "fe80::1",
        "fe80::1%eth0",
        "2606:4700::1%eth0", "fec0::1", "ff02::1", "2001:10::1", "4000::1",
    ],
)  # fmt: skip
def test_special_addresses_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "172.32.0.1", "2606:4700:4700::1111", "2a00:1450::1"])
def test_ordinary_addresses_are_public(address: str) -> None:
    assert is_public(ip_address(address))


hosts = st.text("0123456789abcdefx.:[]%①⑩⒈\uff0e。-@ ", min_size=1, max_size=24) | st.lists(
    st.sampled_from(["127", "0x7f", "0177", "10", "0", "1", "255", "256", "08", "2130706433", "0xa9fea9fe", "x"]),
    min_size=1,
    max_size=5,
).map(".".join)


@settings(max_examples=1000, deadline=None)
@given(hosts)
def test_no_host_that_a_resolver_reads_as_a_private_address_passes(host: str) -> None:
    if image_url_fault(f"http://{host}/x.png", allow_private=False) is None:
        try:
            packed = socket.inet_aton(host.removesuffix("."))
        except (OSError, ValueError):
            return
        assert is_public(ip_address(packed))


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=60) | st.text(max_size=40).map("http://{}".format))
def test_no_text_at_all_raises(text: str) -> None:
    image_url_fault(text, allow_private=False)
    output_url_usable(text)
