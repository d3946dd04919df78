"""Generated input for everything that reads input: no parser raises but to refuse, and none is talked into a lie."""

import ipaddress
import json
import random
from collections.abc import Callable
from contextlib import suppress

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from intake.parsing import parse, read_json
from providers.parsing.classify import Kind, classify
from providers.parsing.webhook_hints import read_webhook
from receiver.forms import read_form
from schemas.addresses import image_url_fault, is_public, output_url_usable
from schemas.picture import PictureRejected, inspect
from schemas.problem import Refusal
from tests.fuzz.kit import exchanges, kit
from tests.support.pictures import picture

texts = st.text(st.characters(exclude_categories=()), max_size=60)
words = st.sampled_from(
    ["SUCCEEDED", "completed", "FAILED", "error", "status", "data", "url", "output", "https://a.example/v.mp4", "id"]
)
values = st.none() | st.booleans() | st.integers() | st.floats() | texts | words
documents = st.recursive(
    values,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts | words, inner, max_size=5),
    max_leaves=25,
)
bodies = st.binary(max_size=400) | documents.map(lambda document: json.dumps(document).encode("utf-8", "replace"))

fields = st.fixed_dictionaries(
    {},
    optional={
        "image_url": values | st.just("https://example.com/a.png"),
        "image_base64": values,
        "motion": values | st.sampled_from(["auto", "zoom_in"]),
        "prompt": values,
        "orientation": values,
        "provider": values,
        "fallback": values,
        "metadata": documents,
        "other": values,
    },
)


def requests(body: bytes) -> None:
    """A request is understood or refused, in words that can be sent."""
    refused = _refusal(lambda: parse(read_json(body), allow_private=False))
    assert refused is None or refused.problem.status in {400, 422}
    assert refused is None or refused.problem.model_dump_json()


def forms(body: bytes) -> None:
    """A form is read or refused."""
    refused = _refusal(lambda: read_form("multipart/form-data; boundary=b", [body]))
    assert refused is None or refused.problem.status in {400, 422}


def _refusal(parser: Callable[[], object]) -> Refusal | None:
    try:
        parser()
    except Refusal as refusal:
        return refusal
    return None


def webhooks(body: bytes) -> None:
    """A webhook never raises, and names addresses only that can be used."""
    hint = read_webhook(body)
    assert len(hint.provider_job_ids) <= 2
    assert all(output_url_usable(url) for url in hint.succeeded_urls)


def answers(document: object) -> None:
    """An answer of a provider never raises, and is ready only with a usable address."""
    verdict = classify(document)
    assert verdict.kind is not Kind.READY or verdict.urls
    assert all(output_url_usable(url) for url in verdict.urls)


def addresses(number: int) -> None:
    """No notation of an address gets past that is not public."""
    address = ipaddress.ip_address(number)
    if is_public(address):
        return
    spellings = [str(address), address.exploded, f"[{address}]", str(number), hex(number)]
    if isinstance(address, ipaddress.IPv4Address):
        spellings += [".".join(map(hex, address.packed)), ".".join(f"0{part:o}" for part in address.packed)]
        spellings += [f"[::ffff:{address}]"]
    for spelling in spellings:
        assert image_url_fault(f"http://{spelling}/", allow_private=False) is not None, spelling


_SEEDS = [picture(), picture(kind="JPEG"), picture(mode="P"), picture(kind="JPEG", progressive=True)]


def pictures(seed: int) -> None:
    """A damaged picture is taken or refused."""
    chance = random.Random(seed)
    damaged = bytearray(chance.choice(_SEEDS))
    for _ in range(chance.randint(1, 20)):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    with suppress(PictureRejected):
        inspect(bytes(damaged[: chance.randint(1, len(damaged))] if chance.random() < 0.3 else damaged))


form_parts = st.lists(st.tuples(texts, st.binary(max_size=40)), max_size=4).map(
    lambda parts: (
        b"".join(
            b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode("utf-8", "replace"), data)
            for name, data in parts
        )
        + b"--b--\r\n"
    )
)

TARGETS: dict[str, tuple[Callable[..., None], st.SearchStrategy[object], int]] = {
    "requests": (requests, bodies | fields.map(lambda given: json.dumps(given).encode()), 10_000),
    "forms": (forms, form_parts | st.binary(max_size=300), 5_000),
    "webhooks": (webhooks, bodies, 10_000),
    "answers of providers": (answers, documents, 10_000),
    "answers and webhooks of the kit's providers": (kit, exchanges, 2_000),
    "addresses": (addresses, st.integers(0, 2**32 - 1) | st.integers(0, 2**128 - 1), 10_000),
    "pictures": (pictures, st.integers(), 3_000),
}
"""For each parser what it must hold to, what to give it, and how often."""


def run(name: str, *, seed: int, share: float = 1.0) -> int:
    """Try one parser; give how many inputs it got. Raises whatever went wrong, with the smallest input."""
    check, strategy, examples = TARGETS[name]
    tried = 0

    def attempt(value: object) -> None:
        nonlocal tried
        tried += 1
        check(value)

    wrapped = settings(
        max_examples=max(1, int(examples * share)),
        deadline=None,
        database=None,
        derandomize=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )(given(strategy)(attempt))
    wrapped._hypothesis_internal_use_seed = seed  # type: ignore[attr-defined]  # what `hypothesis.seed` sets
    wrapped()
    return tried
