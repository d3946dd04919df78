"""What nobody foresaw counts as a try before the request may have left, and as unknown after it."""

import pytest

from providers.base import BeforeFirstByte, Order
from providers.reports import SubmissionOutcome
from schemas.names import ErrorCode
from tests.generator.conftest import OpenWorkshop, Taker


async def fails(url: str) -> bytes:
    del url
    raise RuntimeError("nobody foresaw this")


async def raises_before(_order: Order, _sending: BeforeFirstByte) -> SubmissionOutcome:
    raise RuntimeError("before")


async def raises_after(_order: Order, before_first_byte: BeforeFirstByte) -> SubmissionOutcome:
    await before_first_byte()
    raise RuntimeError("after")


async def test_a_picture_that_fails_unexpectedly_is_tried_as_often_as_any(workshop: OpenWorkshop) -> None:
    async with workshop(fails, submit_attempts=2) as shop:
        video = await shop.until(await shop.ask("https://p.example/a.png"), "failed")
    assert shop.provider.orders == []
    assert video.error is not None
    assert video.error.code is ErrorCode.PROVIDER_UNAVAILABLE
    assert "RuntimeError" in video.error.message
    assert video.refund is not None
    assert video.refund.status == "not_charged"


@pytest.mark.parametrize(
    ("answer", "code", "tries"),
    [(raises_before, ErrorCode.PROVIDER_UNAVAILABLE, 2), (raises_after, ErrorCode.SUBMISSION_UNKNOWN, 1)],
)
async def test_a_submission_that_fails_unexpectedly_is_sent_again_only_if_nothing_left(
    workshop: OpenWorkshop, answer: object, code: ErrorCode, tries: int
) -> None:
    provider = Taker(answer=answer)  # type: ignore[arg-type]  # one of the two above
    async with workshop(fails, provider, submit_attempts=2) as shop:
        video = await shop.until(await shop.ask(), "failed")
    assert video.error is not None
    assert (video.error.code, len(provider.orders)) == (code, tries)
