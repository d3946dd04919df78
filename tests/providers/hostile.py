"""Addresses with which strangers try to make a server connect to its own insides.

`{port}` is a listener's. Look-alike characters are the point of some of them.
"""

# ruff: noqa: RUF001  so they stay as a stranger would write them

NOT_PUBLIC = [
    # loopback, as everybody writes it
    "http://127.0.0.1:{port}/x", "http://localhost:{port}/x", "http://LOCALHOST:{port}/x",
    "http://localhost.:{port}/x", "http://a.localhost:{port}/x", "http://[::1]:{port}/x",
    "http://0.0.0.0:{port}/x",
    "http://127.0.0.1.:{port}/x", "http://127.255.255.254:{port}/x",
    # in numbers that resolvers read as well
    "http://2130706433:{port}/x", "http://0x7f000001:{port}/x", "http://017700000001:{port}/x",
    "http://127.1:{port}/x", "http://127.0.1:{port}/x", "http://0x7f.1:{port}/x",
    "http://0177.0.0.1:{port}/x",
    "http://0x7f.0x0.0x0.0x1:{port}/x", "http://0177.0.0x1:{port}/x", "http://00177.0.0.01:{port}/x",
    "http://0127.0.0.1:{port}/x", "http://127.0.0.08:{port}/x", "http://0:{port}/x", "http://0x0:{port}/x",
    "http://127.0.0.0x1:{port}/x",
    "http://0X7F.0.0.1:{port}/x", "http://3232235777:{port}/x", "http://0xa9fea9fe:{port}/x",
    # in letters that are mapped to ASCII
    "http://①②⑦.⓪.⓪.①:{port}/x", "http://１２７.０.０.１:{port}/x",
    "http://127。0。0。1:{port}/x", "http://127．0．0．1:{port}/x", "http://127｡0｡0｡1:{port}/x",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{port}/x", "http://ｌｏｃａｌｈｏｓｔ:{port}/x", "http://ⓛocalhost:{port}/x",
    "http://127.0.0.1\ufe0f:{port}/x", "http://０x7f.1:{port}/x", "http://⑩.0.0.1:{port}/x",
    # digits of a newer Unicode than the domain name system's own
    "http://\U0001fbf1\U0001fbf2\U0001fbf7.0.0.1:{port}/x",
    # inside IPv6
    "http://[::ffff:127.0.0.1]:{port}/x", "http://[::ffff:7f00:1]:{port}/x", "http://[::127.0.0.1]:{port}/x",
    "http://[0:0:0:0:0:ffff:127.0.0.1]:{port}/x", "http://[64:ff9b::7f00:1]:{port}/x",
    "http://[64:ff9b::8.8.8.8]:{port}/x", "http://[2002:7f00:1::]:{port}/x",
    "http://[2001:0:7f00:1::1]:{port}/x",
    "http://[::]:{port}/x", "http://[fe80::1]:{port}/x", "http://[fc00::1]:{port}/x",
    "http://[fd00:ec2::254]:{port}/x",
    "http://[fec0::1]:{port}/x", "http://[ff02::1]:{port}/x", "http://[2001:db8::1]:{port}/x",
    # private networks and clouds' own services
    "http://10.0.0.1:{port}/x", "http://172.16.0.1:{port}/x", "http://192.168.0.1:{port}/x",
    "http://169.254.169.254/latest/meta-data/", "http://100.100.100.200/latest/", "http://168.63.129.16/x",
    "http://metadata.google.internal/computeMetadata/v1/", "http://metadata/x",
    "http://metadata.tencentyun.com/x",
    "http://instance-data/latest/", "http://100.64.0.1/x", "http://192.0.0.192/x", "http://198.18.0.1/x",
    "http://224.0.0.1/x", "http://255.255.255.255/x", "http://240.0.0.1/x", "http://192.88.99.1/x",
    # names of private networks
    "http://printer.local/x", "http://db.internal/x", "http://ip6-localhost:{port}/x",
    "http://ip6-loopback/x",
    "http://rabbitmq:15672/x", "http://router.lan/x", "http://nas.home.arpa/x", "http://x.localdomain/x",
    "http://localhost.localdomain:{port}/x", "http://wiki.corp/x", "http://wiki.intranet/x",
]  # fmt: skip

NOT_SOUND = [
    # other schemes and no scheme
    "", "x", "file:///etc/passwd", "gopher://127.0.0.1:{port}/_x", "ftp://example.com/x.png",
    "javascript:alert(1)",
    "data:image/png;base64,AAAA", "//example.com/x", "http:/example.com/x", "http:example.com",
    "https//example.com",
    " http://example.com", "\thttp://example.com", "unix:///run/x.sock", "http+unix://%2Frun%2Fx/x",
    "http://",
    "http:///x", "http://?x", "http://#x", "http://:80/x",
    # users and tricks with them
    "http://user@example.com/x", "http://user:pw@example.com/x", "http://example.com@127.0.0.1:{port}/x",
    "http://127.0.0.1:{port}@example.com/x", "http://@example.com/",
    "http://example.com\\@127.0.0.1:{port}/x",
    "http://127.0.0.1:{port}\\.example.com/x",
    # hosts that are written so that readers differ
    "http://%31%32%37.0.0.1:{port}/x", "http://127.0.0.1%00.example.com/x", "http://loc%61lhost:{port}/x",
    "http://[fe80::1%25lo]:{port}/x", "http://[::1%lo]:{port}/x", "http://[::1/x",
    "http://[127.0.0.1]:{port}/x",
    "http://[::1]x:{port}/x", "http://[]/x", "http://::1:{port}/x", "http://1.2.3.4.5/x",
    "http://256.0.0.1/x",
    "http://x.127/x", "http://example..com/x", "http://.example.com/x", "http://-a.example/x",
    "http://exa mple.com/x", "http://example.com\t/x", "http://exa\u200bmple.com/x",
    "http://local\u00adhost/x",
    "http://example.com\n/x", "http://example.com/\x00", "http://example.com/\x7f",
    "http://example.com/\ud800",
    "http://example.com/\u202e", "http://<b>/x", 'http://example.com/"x', "http://a,b.com/x",
    "http://" + "a" * 64 + ".com",
    "http://" + "a." * 130 + "com/", "http://4294967296/x", "http://00000000000000000177.0.0.1/x",
    # ports
    "http://example.com:0/x", "http://example.com:65536/x", "http://example.com:99999999/x",
    "http://example.com:-1/x",
    "http://example.com:8o/x", "http://example.com:８０/x", "http://example.com:80:80/x",
    "http://example.com:+80/x",
    # length
    "https://example.com/" + "x" * 2048,
]  # fmt: skip
