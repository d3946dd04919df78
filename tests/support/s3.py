"""An S3 server on loopback: moto's, and before it what S3 does and moto leaves out, the check of a part's SHA-256."""

import base64
import hashlib
import io
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

import httpx
import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

StartResponse = Callable[..., Any]
_BAD_DIGEST = b"<Error><Code>BadDigest</Code><Message>The SHA256 you specified did not match.</Message></Error>"


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any, **__: Any) -> None:
        """Log nothing."""


@dataclass
class S3Server:
    """Where it listens, what it was asked, and how its network damages what is uploaded."""

    url: str = ""
    bucket: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Method and path, with its query."""
    damage: Callable[[bytes], bytes] = bytes
    moto: Any = field(default_factory=lambda: DomainDispatcherApplication(create_backend_app))

    def __call__(self, environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        """Serve one request (WSGI)."""
        query = environ.get("QUERY_STRING", "")
        self.asked.append((environ["REQUEST_METHOD"], environ["PATH_INFO"] + (f"?{query}" if query else "")))
        if environ["REQUEST_METHOD"] == "PUT" and environ.get("HTTP_X_AMZ_CHECKSUM_SHA256"):
            body = self.damage(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
            if environ["HTTP_X_AMZ_CHECKSUM_SHA256"] != base64.b64encode(hashlib.sha256(body).digest()).decode():
                start("400 Bad Request", [("Content-Type", "application/xml")])
                return [_BAD_DIGEST]
            environ["wsgi.input"] = io.BytesIO(body)
        answer: Iterable[bytes] = self.moto(environ, start)
        return answer

    def objects(self) -> dict[str, bytes]:
        """Read every object of the bucket."""
        listed = httpx.get(f"{self.url}/{self.bucket}").text
        keys = [part.partition("</Key>")[0] for part in listed.split("<Key>")[1:]]
        return {key: httpx.get(f"{self.url}/{self.bucket}/{key}").content for key in keys}

    def uploads_under_way(self) -> int:
        """Count the uploads in parts that nobody has completed or aborted."""
        return httpx.get(f"{self.url}/{self.bucket}?uploads").text.count("<UploadId>")


@contextmanager
def s3_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """Serve an empty bucket, and point AWS's variables at it."""
    app = S3Server(bucket=f"clips-{uuid.uuid4().hex[:8]}")
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    app.url = f"http://127.0.0.1:{server.server_port}"
    httpx.put(f"{app.url}/{app.bucket}").raise_for_status()
    app.asked.clear()
    given = {
        "AWS_ENDPOINT_URL": app.url,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "made-up",
        "AWS_SECRET_ACCESS_KEY": "made-up-too",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    try:
        yield app
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
