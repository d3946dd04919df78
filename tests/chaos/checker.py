"""What must hold when all is over, checked from outside: subscriber, API and the stand-ins' own records."""

import asyncio
import itertools
import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any

from tests.chaos.driver import prompt
from tests.chaos.kit import KIT
from tests.chaos.world import PROVIDERS, ChaosService
from tests.support.subscriber import TERMINAL

UNKNOWN: dict[str, object] = {"status": "unknown", "credits": None}
REFUNDED: dict[str, object] = {"status": "refunded", "credits": 1}
NOT_CHARGED: dict[str, object] = {"status": "not_charged", "credits": 0}
_REFUNDS: dict[str, dict[str, object]] = {
    "image_rejected": NOT_CHARGED, "request_rejected": NOT_CHARGED, "authentication_failed": NOT_CHARGED,
    "out_of_credits": NOT_CHARGED, "provider_unavailable": NOT_CHARGED, "submission_unknown": UNKNOWN,
    "result_invalid": UNKNOWN, "job_lost": UNKNOWN, "timed_out": UNKNOWN,
}  # fmt: skip
_LONG_ENOUGH = 15.0
"""Seconds in which somebody must have looked."""
_TRACES = re.compile(r"Traceback|(?<!the connection )unexpectedly|never retrieved|request failed|command failed")
_LONG_WORD = re.compile(r"[A-Za-z0-9_-]{30,}")


@dataclass
class Verdict:
    """What was found. Jobs are told by their numbers."""

    lost: set[int] = field(default_factory=set)
    double_terminal: set[int] = field(default_factory=set)
    double_submission: set[int] = field(default_factory=set)
    other: list[str] = field(default_factory=list)
    ends: dict[str, int] = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        return not (self.lost or self.double_terminal or self.double_submission or self.other)


async def drained(world: ChaosService, within: float) -> None:
    """Wait until the end of every job was heard of, and then a little more; no end for `within` seconds is enough."""
    fewest, give_up_at = len(world.open_jobs), time.monotonic() + within
    while world.open_jobs and time.monotonic() < give_up_at:
        if len(world.open_jobs) < fewest:
            fewest, give_up_at = len(world.open_jobs), time.monotonic() + within
        await asyncio.sleep(0.2)
    await asyncio.sleep(1)


async def judge(world: ChaosService) -> Verdict:
    """Compare what everybody saw."""
    verdict = Verdict()
    videos = {video["id"]: video async for video in _videos(world)}
    records = await world.records()
    numbers = {job.video_id: job.number for job in world.driver.jobs}
    strangers = videos.keys() - numbers.keys()
    verdict.other += [f"video {video} was never asked for" for video in strangers]
    verdict.other += world.driver.wrong + world.fleet.strange_ends
    _compare_events(world, verdict, numbers, videos)
    for video in videos.values():
        verdict.other += [f"video {video['id']}: {fault}" for fault in _faults_of(video, records_by_job(records))]
        stepped = _clock_went_back(world, numbers[video["id"]]) if video["id"] in numbers else False
        faults = given_up_faults(world, video, records, stepped=stepped)
        verdict.other += [f"video {video['id']}: {fault}" for fault in faults]
        end = video["status"] if video["error"] is None else video["error"]["code"]
        verdict.ends[end] = verdict.ends.get(end, 0) + 1
    _compare_submissions(world, verdict, videos, records)
    verdict.other += await _credit_faults(world, videos, records)
    verdict.other += [fault async for fault in _webhook_faults(world, videos, records)]
    verdict.other += _log_faults(world, records)
    return verdict


async def _videos(world: ChaosService) -> Any:
    query = {"limit": "200"}
    while True:
        page = await world.get("/v1/videos", **query)
        for video in page["items"]:
            yield video
        if page["next_cursor"] is None:
            return
        query["cursor"] = page["next_cursor"]


def records_by_job(records: list[Any]) -> dict[tuple[str, str], Any]:
    """Find what the providers accepted by provider and job id."""
    return {(each["provider"], each["job_id"]): each for each in records if each["accepted"]}


def _compare_events(
    world: ChaosService, verdict: Verdict, numbers: dict[str | None, int], videos: dict[str, Any]
) -> None:
    digests: dict[str, bytes] = {}
    events: defaultdict[str, list[Any]] = defaultdict(list)
    for delivery in world.subscriber.deliveries:
        if digests.setdefault(delivery.event_id, delivery.digest) != delivery.digest:
            verdict.other.append(f"event {delivery.event_id} was delivered with two bodies")
    for event in world.subscriber.documents.values():
        events[event["subject"]].append(event)
    for video_id, number in numbers.items():
        terminal = [event for event in events[video_id or ""] if event["type"] in TERMINAL]
        if not terminal or video_id not in videos:
            verdict.lost.add(number)
        elif len(terminal) > 1:
            verdict.double_terminal.add(number)
        else:
            video = videos[video_id]
            faults = _event_faults(events[video_id], video)
            verdict.other += [f"video {video_id}: {fault}" for fault in faults]
            in_turn = [event for event in events[video_id] if event["id"] not in world.subscriber.redelivered]
            if not in_order(in_turn, stepped=_clock_went_back(world, number)):
                verdict.other.append(f"video {video_id}: its events came in the order {[e['type'] for e in in_turn]}")
    verdict.other += [f"an event tells of {stranger}" for stranger in events.keys() - numbers.keys()]


def _clock_went_back(world: ChaosService, number: int) -> bool:
    """Say whether a clock was put back while a video was made, so that its times tell no order."""
    job = world.driver.jobs[number]
    over = world.subscriber.ended.get(job.video_id or "", float("inf"))
    return any(job.asked_at <= at <= over for at in world.clock_put_back)


def in_order(events: list[Any], *, stepped: bool) -> bool:
    """Say whether events came by their times, and nothing but a late one after the end."""
    times = [event["time"] for event in events]
    after_the_end = itertools.dropwhile(lambda event: event["type"] not in TERMINAL, events)
    kinds = [event["type"] for event in after_the_end][1:]
    return (stepped or times == sorted(times)) and set(kinds) <= {"video.late"}


def _event_faults(events: list[Any], video: Any) -> Iterator[str]:
    """Say where the end of a video, as its events tell it, is not the one that the API tells."""
    end = next(event for event in events if event["type"] in TERMINAL)
    if end["type"] != f"video.{video['status']}":
        yield f"announced as {end['type']}, and the API says {video['status']}"
    if end["data"]["output_urls"] != video["output_urls"] or end["data"]["refund"] != video["refund"]:
        yield "the terminal event and the API differ"


def _faults_of(video: Any, accepted: dict[tuple[str, str], Any]) -> Iterator[str]:
    """Say where a video's story differs from what the providers know, or breaks a rule of refunds."""
    if video["status"] not in {"ready", "failed"}:
        yield f"is still {video['status']}"
    for attempt in video["attempts"]:
        record = accepted.get((attempt["provider"], attempt["provider_job_id"] or ""))
        if attempt["provider_job_id"] and record is None:
            yield f"has a job that {attempt['provider']} never began"
        if record and attempt["output_urls"] and not any(record["marker"] in url for url in attempt["output_urls"]):
            yield "has the result of another video"
        if attempt["status"] == "succeeded" and (record is None or record["ends"] != "succeeded"):
            yield "is said to be ready, and its provider does not say so"
        yield from _refund_faults(attempt, record)


def given_up_faults(world: ChaosService, video: Any, records: list[Any], *, stepped: bool) -> Iterator[str]:
    """Say where a job was timed out though its provider had the video long before, and could be asked.

    The subscriber hears of it later where the broker was away; our own clocks tell when it was, unless one was put
    back (`stepped`).
    """
    if video["error"] is None or video["error"]["code"] != "timed_out":
        return
    ended = world.subscriber.ended.get(video["id"], float("inf"))
    if not stepped:
        ended = min(ended, datetime.fromisoformat(video["completed_at"]).timestamp())
    if any(since <= ended and until >= ended - _LONG_ENOUGH for since, until in world.unanswered):
        return
    [attempt] = video["attempts"][-1:]
    record = records_by_job(records).get((attempt["provider"], attempt["provider_job_id"] or ""))
    if record and record["ends"] == "succeeded" and record["ends_at"] < ended - _LONG_ENOUGH:
        yield f"timed out {ended - record['ends_at']:.0f} s after its provider had made it"


def _refund_faults(attempt: Any, record: Any) -> Iterator[str]:
    if attempt["status"] != "failed":
        if attempt["refund"] is not None:
            yield "has a refund, and did not fail"
        return
    code, provider = attempt["error"]["code"], attempt["provider"]
    if code == "generation_failed":
        due = REFUNDED if provider == "iacrea" else (record or {}).get("refund") or UNKNOWN
        if record is None or record["ends"] != "failed":
            yield "is said to have failed, and its provider does not say so"
    else:
        due = _REFUNDS[code]
    if attempt["refund"] != due:
        yield f"failed as {code} with the refund {attempt['refund']}"


def _compare_submissions(world: ChaosService, verdict: Verdict, videos: dict[str, Any], records: list[Any]) -> None:
    """Find each accepted submission in the video that it was for: known by its id, or owned up to as unknown."""
    numbers = {prompt(job.number): job.number for job in world.driver.jobs}
    numbers |= {world.driver.digest(job): job.number for job in world.driver.jobs}
    found: defaultdict[tuple[str, int], list[Any]] = defaultdict(list)
    for record in (each for each in records if each["accepted"]):
        number = numbers.get(record["prompt"] or record["picture_sha256"])
        if number is None:
            verdict.other.append(f"{record['provider']} was sent something that nobody asked for")
        else:
            found[record["provider"], number].append(record)
    ids = {job.number: job.video_id or "" for job in world.driver.jobs}
    for (provider, number), taken in found.items():
        if len(taken) > 1:
            verdict.double_submission.add(number)
        attempts = [each for each in videos[ids[number]]["attempts"] if each["provider"] == provider]
        known = {each["provider_job_id"] for each in attempts}
        unknown = any(each["error"] and each["error"]["code"] == "submission_unknown" for each in attempts)
        if not unknown and not {record["job_id"] for record in taken} <= known:
            verdict.other.append(f"video {ids[number]}: {provider} took a submission that nobody owns up to")


async def _credit_faults(world: ChaosService, videos: dict[str, Any], records: list[Any]) -> list[str]:
    shown = await world.get("/v1/credits")
    attempts = [attempt for video in videos.values() for attempt in video["attempts"]]
    faults = []
    for provider in (*PROVIDERS, *KIT):
        mine = [each for each in attempts if each["provider"] == provider]
        known = sum(each["provider_job_id"] is not None for each in mine)
        charged = sum(each["charged"] for each in records if each["provider"] == provider)
        back = sum(each["refunded"] for each in records if each["provider"] == provider)
        ours = shown[provider]
        if ours["spent"] != known:
            faults.append(f"{provider}: {known} accepted submissions, {ours['spent']} credits entered as spent")
        refunded = sum((each["refund"] or {}).get("status") == "refunded" for each in mine)
        if not refunded <= ours["refunded"] <= back:
            faults.append(f"{provider}: {refunded} attempts refunded, {ours['refunded']} entered, {back} given back")
        # Reports are told apart by the wall clock, so while one that was put back is lived through, they are mixed up.
        told = ours["remaining"] is not None and not world.clock_put_back
        if told and not known - charged <= ours["unexplained"] <= back - ours["refunded"]:
            faults.append(f"{provider}: {ours['unexplained']} credits unexplained of {charged} charged, {known} known")
    return faults


async def _webhook_faults(world: ChaosService, videos: dict[str, Any], records: list[Any]) -> AsyncIterator[str]:
    """Find videos whose timelines do not have every webhook that we acknowledged."""
    accepted = records_by_job(records)
    for video in videos.values():
        found = [accepted.get((each["provider"], each["provider_job_id"] or "")) for each in video["attempts"]]
        acknowledged = [
            answer for record in found if record for _, answer in record["webhooks"] if answer == HTTPStatus.OK
        ]
        if acknowledged:
            timeline = (await world.get(f"/v1/videos/{video['id']}/timeline"))["items"]
            told = sum(entry["what"] == "webhook received" for entry in timeline)
            if told < len(acknowledged):
                yield f"video {video['id']}: {len(acknowledged)} webhooks were acknowledged, and {told} are there"


def _log_faults(world: ChaosService, records: list[Any]) -> Iterator[str]:
    tokens = {record["webhook"].rpartition("/")[2] for record in records if record["webhook"]}
    for role, log in world.fleet.logs().items():
        traces = [line for line in log.splitlines() if _TRACES.search(line)]
        if traces:
            yield f"{role} logged {len(traces)} times what nobody expected, first: {traces[0][:200]}"
        if tokens & set(_LONG_WORD.findall(log)):
            yield f"{role} logged a webhook's token"
