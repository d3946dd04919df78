"""A result's host that hangs holds up the proofs of its own videos: no other host's, and no check of any job."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import poller.run
from jobs import accept, assignment, submission_claims, submit
from jobs.policy import Policy
from poller.result_lane import AT_ONCE, AT_ONCE_OF_ONE_HOST
from poller.results import ResultProver
from poller.run import IN_FLIGHT
from providers.capabilities import Given
from providers.http.guarded import Guard
from providers.http.names import NameThreads
from providers.parsing.webhook_hints import read_webhook
from providers.registry import capabilities
from providers.reports import Accepted, Failed, Handle, Ready, Report
from providers.runway.client import Runway
from schemas.names import Provider, ProviderChoice
from store import attempts
from store.attempts import AttemptState
from store.database import Store
from store.transaction import Tx
from tests.providers.peer import Peer, hangs, says
from tests.support.job_scenario import REQUEST
from tests.support.stores import url_of
from tests.support.waiting import eventually

MP4 = b"\x00\x00\x00\x20ftypisom" + b"\x00" * 2000
RUNWAY = Provider("runway")
POLICY = Policy(providers=(RUNWAY,), rates={RUNWAY: 100.0}, poll_min=0.1, proves=frozenset({RUNWAY}))


class Finished(Runway):
    """A provider whose jobs are all over: a job's name says where its video is, or that there is none."""

    async def check(self, job: Handle) -> Report:
        url = job.details.get("url")
        return Ready((url,)) if url else Failed("nothing came of it")


def a_job(tx: Tx, name: str, url: str | None) -> str:
    now = time.time()
    accept.accept(tx, replace(REQUEST, choice=ProviderChoice(RUNWAY)), str, now=now)
    assignment.route(tx, POLICY, now=now)
    [(attempt, _)] = submission_claims.claim(tx, POLICY, RUNWAY, owner="generator", room=1, now=now).work
    submit.send(tx, attempt.id, owner="generator", now=now)
    details = {} if url is None else {"url": url}
    submit.accepted(tx, POLICY, attempt, Accepted(name, details=details), sent_at=now, now=now)
    return attempt.id


@dataclass
class Polled:
    """A poller at work on the jobs of a store; `hosts` are where their results are."""

    store: Store
    hosts: list[Peer]

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        prove = ResultProver(Guard(NameThreads(), allow_private=True, thing="video"), 30.0).prove
        stop = asyncio.Event()
        options = {each.name: each.default for each in capabilities(RUNWAY).options}
        client = Finished(Given("http://127.0.0.1:9", {"secret": "none"}, 8.0, False, options))  # noqa: FBT003
        running = asyncio.create_task(poller.run.run(self.store, POLICY, {RUNWAY: client}, read_webhook, prove, stop))
        try:
            yield
        finally:
            for host in self.hosts:
                await host.stop()  # nobody listens there any more, so what waits is soon over
            stop.set()
            await running
            await client.close()

    async def states(self, attempt_ids: list[str]) -> set[AttemptState]:
        return {row.state for one in attempt_ids if (row := await self.store.read(attempts.get, one)) is not None}

    async def all_are(self, attempt_ids: list[str], state: AttemptState) -> bool:
        return await self.states(attempt_ids) == {state}


@asynccontextmanager
async def polled(tmp_path: Path, *hosts: Peer) -> AsyncIterator[Polled]:
    for host in hosts:
        await host.start()
    store = await Store.open(url_of(tmp_path / "reelbus.db"))
    yield Polled(store, list(hosts))
    await store.close()


async def test_a_hanging_host_holds_no_place_of_the_checks(tmp_path: Path) -> None:
    hanging = Peer([hangs()])
    async with polled(tmp_path, hanging) as found:
        write = found.store.write
        stuck = [await write(a_job, f"stuck-{number}", f"{hanging.url}/v") for number in range(2 * IN_FLIGHT)]
        failing = [await write(a_job, f"failing-{number}", None) for number in range(3)]
        async with found.at_work():
            await eventually(lambda: found.all_are(failing, AttemptState.FAILED))
            assert await found.states(stuck) == {AttemptState.GENERATING}
            assert 1 <= hanging.connections <= AT_ONCE_OF_ONE_HOST


async def test_a_hanging_host_keeps_no_other_hosts_results_waiting(tmp_path: Path) -> None:
    hanging, well = Peer([hangs()]), Peer([says(200, MP4, content_type="video/mp4")])
    async with polled(tmp_path, hanging, well) as found:
        write = found.store.write
        stuck = [await write(a_job, f"stuck-{number}", f"{hanging.url}/v") for number in range(AT_ONCE + 2)]
        made = [await write(a_job, f"made-{number}", f"{well.url}/v") for number in range(3)]
        async with found.at_work():
            await eventually(lambda: found.all_are(made, AttemptState.SUCCEEDED))
            assert await found.states(stuck) == {AttemptState.GENERATING}
            assert hanging.connections == AT_ONCE_OF_ONE_HOST
