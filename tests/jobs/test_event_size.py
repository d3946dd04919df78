"""An event stays under 64 KiB, which every CloudEvents intermediary forwards, whatever callers and providers send."""

import json

import pytest

from intake.parsing import parse
from jobs import feed
from providers.reports import Failed, Ready
from schemas.event import LARGEST, Naming
from schemas.problem import Refusal
from schemas.request import MAX_TEXT_BYTES, VideoRequest
from tests.support.job_scenario import JobScenario

HOUSE = "\U0001f3e0"


def _largest(character: str) -> dict[str, object]:
    metadata = {f"{number:02}" + character * 62: character * 512 for number in range(16)}
    return {"image_url": "https://example.com/a", "motion": "auto", "prompt": character * 2000, "metadata": metadata}


def test_every_text_of_four_byte_characters_is_taken() -> None:
    assert parse(_largest(HOUSE), allow_private=False).fields.metadata


def test_text_that_would_make_an_event_too_large_is_refused_by_name() -> None:
    with pytest.raises(Refusal) as refused:
        parse(_largest("\x01"), allow_private=False)

    [fault] = refused.value.problem.errors or []
    assert fault.field == "metadata"
    assert str(MAX_TEXT_BYTES) in fault.message


def test_the_largest_video_makes_an_event_under_the_bound(desk: JobScenario) -> None:
    fields = VideoRequest.model_validate(_largest(HOUSE))
    attempt = desk.generating(metadata=fields.metadata, prompt=fields.prompt)
    urls = tuple(f"https://cdn.example/{number}/".ljust(2048, "a") for number in range(16))
    desk.checked(attempt, Ready(urls))

    event = desk.do(feed.after, 0)[-1]
    assert len(event.body.encode()) <= LARGEST
    document = json.loads(event.body)
    assert document["data"]["metadata"] == fields.metadata
    assert document["data"]["output_urls"] == [urls[0]]


def test_a_usual_event_keeps_every_address(desk: JobScenario) -> None:
    attempt = desk.generating()
    urls = tuple(f"https://cdn.example/{number}.mp4" for number in range(16))
    desk.checked(attempt, Ready(urls))

    assert json.loads(desk.do(feed.after, 0)[-1].body)["data"]["output_urls"] == list(urls)


def test_a_service_names_itself_in_its_events(desk: JobScenario, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Naming, "source", "https://videos.example/reelbus")
    desk.checked(desk.generating(), Failed("FAILED"))

    sources = {json.loads(body)["source"] for body in map(json.dumps, desk.bodies())}
    assert sources == {"https://videos.example/reelbus"}
