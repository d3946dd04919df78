"""The whole service in one thread on a virtual clock: real work functions on real tables, everything else at risk.

Each process is a bag of tasks that a crash empties. One action happens at a time; a seed decides which, and so a
seed is a whole history.
"""

import asyncio
import random
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from functools import cache, partial
from typing import Any

from generator.submission import Submitter
from jobs import accept, assignment, check_claims, clock, learning, outage, overdue, submission_claims
from jobs import policy as rules
from jobs.accept import AcceptedVideo, NewVideo
from jobs.cancelling import CannotCancel
from jobs.learning import Observation
from jobs.policy import Policy
from poller.checking import Checker
from process.clock import Clock, ClockWatch
from providers.base import Order
from providers.http.pictures import PictureRefused, PictureUnavailable
from providers.parsing.webhook_hints import read_webhook
from providers.reports import Accepted
from schemas.cancellation import Cancellation
from schemas.names import Motion, Orientation, ProviderChoice
from store import attempt_leases, leases, open_attempts, outbox, uploads
from store import webhooks as stored_webhooks
from store.attempts import AttemptRow
from store.database import StoreUnavailable
from store.outbox import OutboxEvent
from store.videos import VideoRow
from store.webhooks import Delivery
from tests.simulation import outsiders
from tests.simulation.peers import SIMULATED, Account, OneSubmission, SimulatedBroker
from tests.simulation.processes import RELAY_LEASE, Process
from tests.simulation.steps import Step, Task, at_once
from tests.support.stores import emptied, in_memory, transact

START = 1_700_000_000.0
MOST_VIDEOS = 5

POLICY = Policy(
    providers=SIMULATED,
    rates=dict.fromkeys(SIMULATED, 50.0),
    submit_attempts=3, confirm_wait=15, job_timeout=40, poll_min=0.5, poll_max=12, webhook_grace=6,
)  # fmt: skip

_TIMES = (
    "SELECT due_at, lease_until FROM attempts UNION ALL SELECT until, until FROM leases"
    " UNION ALL SELECT probe_at, probe_at FROM circuits"
)
_ACCEPTED = "SELECT accepted_at FROM attempts WHERE state = 'generating'"


class SimulatedStore:
    """The store of a world, as processes are given it."""

    def __init__(self, world: "SimulatedWorld") -> None:
        self._world = world
        self.write = self.write_small = world.write
        self.write_unsynced = world.write_unsynced
        self.read = self.read_small = world.read

    def now(self) -> float:
        """Give the time as the processes read it."""
        return self._world.wall


class SimulatedWorld:
    """A store, processes, providers, a broker, and the time that it is for all of them."""

    def __init__(self, seed: int, *, policy: Policy | None = None) -> None:
        self.rng = random.Random(seed)
        self.policy = policy or replace(
            POLICY,
            fallback_when_unsure=self.rng.random() < 0.25,
            trust_webhook_body=self.rng.random() < 0.25,
            job_timeout=self.rng.choice((20.0, 40.0, 80.0)),
            proves=frozenset(name for name in SIMULATED if self.rng.random() < 0.4),
        )
        self.store = SimulatedStore(self)
        self.now = START
        """The true time, by which everything outside happens."""
        self.ahead = 0.0
        self.was_put_back = False
        """By how many seconds the wall clock of all processes is wrong."""
        self.calm = False
        self.connection = emptied(connection())
        self.history: list[tuple[float, str, str]] = []
        self.lessons: list[Observation] = []
        self.offers = outsiders.offers(self.rng)
        self.wishes: dict[str, list[Cancellation | CannotCancel]] = {}
        """What was answered to those who wished to stop a video."""
        self.accounts = {name: Account(self, name) for name in SIMULATED}
        self.broker = SimulatedBroker(self)
        roles = ("generator", "poller", "relay")
        self.processes = [Process(role, number, self._clock) for role in roles for number in (1, 2)]
        self.coming: list[tuple[float, int, Callable[[], None]]] = []
        self.accepted: list[str] = []
        self.store_away_until = 0.0
        self.proven: set[str] = set()
        """The addresses that were asked."""
        self.recorded: dict[str, str | None] = {}
        """The jobs whose acceptance was answered and, as far as the generator knows, stored."""
        self.acting: Process | None = None
        self.retried: list[Any] = []
        self.entered: dict[tuple[str, str], float] = {}
        """When, in truth, each attempt got into each state."""
        self._states: dict[str, str] = {}
        self._counter = 0

    # What the peers and the code under test see of it.

    @property
    def wall(self) -> float:
        """The time as the processes read it."""
        return self.now + self.ahead

    def _clock(self) -> ClockWatch:
        return ClockWatch(self._write_at_once, clock.mend, Clock(lambda: self.wall, lambda: self.now))

    def note(self, who: str, what: str) -> None:
        """Write a line of the history."""
        self.history.append((self.now - START, who, what))

    def later(self, delay: float, do: Callable[[], None]) -> None:
        """Have something happen after a delay, whoever dies meanwhile."""
        self._counter += 1
        self.coming.append((self.now + delay, self._counter, do))

    def send_webhook(self, attempt_id: str, body: bytes, delay: float) -> None:
        """Have a webhook come; where it cannot be recorded it is answered 503, and comes again or does not."""

        def arrive() -> None:
            try:
                self.transact(stored_webhooks.record, [Delivery(attempt_id, body, len(body), None)], now=self.wall)
                self.note("receiver", f"webhook for {attempt_id}")
            except StoreUnavailable:
                if self.rng.random() < 0.5:
                    self.send_webhook(attempt_id, body, 1.0)

        self.later(delay, arrive)

    def transact(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Do a piece of work now, if the store is there."""
        if self.now < self.store_away_until and not self.calm:
            raise StoreUnavailable("the disk is full")
        return transact(self.connection, work, *args, **kwargs)

    def transact_repeatable(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Do a piece of work that the service does through `write_unsynced`."""
        return self.transact(work, *args, **kwargs)

    def write(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Awaitable[Any]:
        """Be the store's `write`."""
        return self._write(partial(self.transact, work, *args, **kwargs))

    write_small = write

    def write_unsynced(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Awaitable[Any]:
        """Be the store's `write_unsynced`."""
        return self._write(partial(self.transact_repeatable, work, *args, **kwargs))

    def _write(self, transact: Callable[[], Any]) -> Step[Any]:
        def do() -> object:
            result = transact()
            self.note_states(at=self.now)
            return result

        return Step(do)

    async def read(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Be the store's `read`."""
        return await Step(lambda: self.transact(work, *args, **kwargs), what=getattr(work, "__name__", "work"))

    async def order(self, attempt: AttemptRow, video: VideoRow, *, wants_bytes: bool) -> Order:
        """Be the `Pictures`; the address of the webhook is the attempt itself."""
        del wants_bytes
        await self.read(uploads.of_video, video.id)
        if not self.calm and self.rng.random() < 0.04:
            raise self.rng.choice((PictureUnavailable("its host is away"), PictureRefused("it is no picture")))
        return Order(video.motion, video.orientation, None, "https://pictures.example/p.png", None, None, attempt.id)

    # What can happen.

    def request(self) -> None:
        """Have a caller ask for a video."""
        if len(self.accepted) >= MOST_VIDEOS:
            return
        choice = self.rng.choice((ProviderChoice("auto"), ProviderChoice("iacrea"), ProviderChoice("homedesigns")))
        new = NewVideo(
            motion=Motion.ZOOM_IN, orientation=Orientation.LANDSCAPE, prompt=None, choice=choice,
            fallback=self.rng.random() < 0.6, metadata={}, image_url="https://pictures.example/p.png", picture=None,
            caller="tester", idempotency_key=None, fingerprint="",
        )  # fmt: skip
        try:
            answer = self.transact(accept.accept, new, str, now=self.wall)
        except StoreUnavailable:
            return
        assert isinstance(answer, AcceptedVideo)
        self.accepted.append(answer.video.id)
        self.note("receiver", f"accepted {answer.video.id} for {choice}, fallback={new.fallback}")

    def work(self, process: Process) -> None:
        """Have a process look for work, once."""
        if process.frozen_until > self.now:
            return
        if process.stopping:
            self._leave(process)
            return
        self.acting = process
        try:
            {"generator": self._generate, "poller": self._poll, "relay": self._relay}[process.role](process)
        except StoreUnavailable:
            self.note(process.name, "store away")

    def _decide(self, process: Process, work: Callable[..., Any], *args: Any) -> Any:
        """Decide now what the service decides through its clock's watch."""
        return at_once(process.clock.decide(self._write_at_once, work, *args))

    async def _write_at_once(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return self.transact(work, *args, **kwargs)

    def _generate(self, process: Process) -> None:
        self._renew(process)
        at_once(process.clock.mend())
        self.transact_repeatable(assignment.route, self.policy, now=self.wall)
        self._decide(process, outage.sort_out, self.policy, process.places)
        submitter = Submitter(self.store, self.policy, self, process.owner, process.clock)  # type: ignore[arg-type]  # they offer what is used
        owner = process.owner
        for name, account in self.accounts.items():
            sent = self.transact(open_attempts.sending, name, now=None)
            dead = process.sightings[name].lapsed(sent, owner=owner, at=self.now)
            claim = partial(submission_claims.claim, owner=owner, room=8, now=self.wall, dead=dead)
            found = self.transact_repeatable(claim, self.policy, name)
            for attempt, video in found.work:
                self.begin(process, attempt.id, self._submit(submitter, OneSubmission(account), attempt, video))

    async def _submit(self, submitter: Submitter, line: OneSubmission, attempt: AttemptRow, video: VideoRow) -> None:
        await submitter.submit(line, attempt, video)  # type: ignore[arg-type]  # it is a client as far as submitting goes
        if isinstance(line.answer, Accepted):
            self.recorded[attempt.id] = line.answer.provider_job_id

    def _poll(self, process: Process) -> None:
        self._renew(process)
        at_once(process.clock.mend())
        found = self.transact(overdue.find, self.policy, now=self.wall)
        over = process.watch.step(self.policy, found, now=self.wall, at=self.now)
        self._decide(process, overdue.give_up, self.policy, over)
        self.transact_repeatable(learning.learn, self.lessons)
        self.lessons.clear()
        parts = (read_webhook, partial(outsiders.prove, self), process.clock, self.lessons, process.watch)
        checker = Checker(self.store, self.policy, process.owner, *parts)  # type: ignore[arg-type]  # they offer what is used
        for name, account in self.accounts.items():
            claim = partial(check_claims.claim, owner=process.owner, room=8, now=self.wall)
            found = self.transact_repeatable(claim, self.policy, name)
            for attempt in found.work:
                self.begin(process, attempt.id, checker.check(account, attempt))

    def _renew(self, process: Process) -> None:
        if process.tasks and self.now >= process.renewed_at + 3:
            process.renewed_at = self.now
            until = self.wall + rules.LEASE_SECONDS
            self.transact_repeatable(attempt_leases.renew_leases, list(process.tasks), owner=process.owner, until=until)

    def _relay(self, process: Process) -> None:
        if "relay" not in process.tasks:
            self.begin(process, "relay", self._round(process))

    async def _round(self, process: Process) -> None:
        turn, began = process.turn, self.now
        take = partial(leases.acquire, owner=turn.owner, seconds=RELAY_LEASE, lapsed=turn.lapsed(at=began))
        try:
            holder = await process.clock.decide(self.write_unsynced, take, "relay")
            turn.asked(holder, began=began, at=self.now)
            if not turn.held(at=self.now):
                return
            rows: list[OutboxEvent] = await self.read(outbox.sendable, now=self.wall, limit=50)
            confirmed = []
            for event in rows:
                publish = partial(self.broker.publish, event)
                if turn.held(at=self.now) and await Step(publish, what="publish"):
                    confirmed.append(event.seq)
            if confirmed:
                await self.write_unsynced(outbox.mark_published, confirmed, now=self.wall)
        except StoreUnavailable:
            self.note(process.owner, "store away")

    def begin(self, process: Process, key: str, coroutine: Coroutine[Any, Any, object]) -> None:
        self.note(process.name, f"takes up {key}")
        task = Task(f"{process.name}: {key}", coroutine)
        if not task.done:
            process.tasks[key] = task

    def advance(self, process: Process, key: str) -> None:
        """Let a task do what it awaits, and usually learn of it; between the two it may die."""
        task, self.acting = process.tasks[key], process
        if task.step is not None:
            task.take_step()
            if not self.calm and self.rng.random() < 0.15:
                return
        try:
            task.go_on()
        except (StoreUnavailable, asyncio.CancelledError) as error:
            self.note(task.name, f"ended by {error!r}")
        if task.done:
            del process.tasks[key]

    def runnable(self) -> list[tuple[Process, str]]:
        """List the tasks that can go on now."""
        return [
            (process, key)
            for process in self.processes
            if process.frozen_until <= self.now
            for key, task in process.tasks.items()
            if task.ready(self.now)
        ]

    def happen(self) -> bool:
        """Have everything happen whose time has come; say whether there was anything."""
        due = sorted(entry[:2] for entry in self.coming if entry[0] <= self.now)
        if not due:
            return False
        chosen = {number for _, number in due}
        acts = sorted((entry for entry in self.coming if entry[1] in chosen), key=lambda entry: entry[:2])
        self.coming = [entry for entry in self.coming if entry[1] not in chosen]
        for _, _, do in acts:
            do()
        return True

    def put_clock(self, seconds: float) -> None:
        """Put the wall clock of all processes forward or back, also under what is just being written."""
        self.ahead += seconds
        self.was_put_back |= seconds < 0
        self.note("fate", "clock put forward" if seconds > 0 else "clock put back")

    def note_states(self, *, at: float) -> None:
        """Note which attempts have got into another state since the last time, and when that was known."""
        for attempt_id, state in self.connection.execute("SELECT id, state FROM attempts").fetchall():
            if self._states.get(attempt_id) != state:
                self._states[attempt_id] = state
                self.entered[attempt_id, state] = at

    def crash(self, process: Process) -> None:
        """Have a process die with all that it has in hand, and start anew."""
        self.note(process.name, "dies")
        for task in process.tasks.values():
            task.die()
        process.tasks.clear()
        process.start()

    def all_die(self, seconds: float) -> None:
        """Have every process die, and none start again for a time."""
        for process in self.processes:
            self.crash(process)
            process.frozen_until = self.now + seconds

    def _leave(self, process: Process) -> None:
        if not process.tasks:
            process.start()

    def stop(self, process: Process) -> None:
        """Have a process stopped politely: whatever it has in hand is cancelled, and then it starts anew."""
        self.note(process.name, "is told to stop")
        process.stopping = True
        for key in list(process.tasks):
            task = process.tasks[key]
            task.cancel(asyncio.CancelledError())
            self.advance(process, key)

    def let_go_by(self, *, at_most: float) -> None:
        """Let time go by until the next thing is due that anybody waits for, or at most so many seconds."""
        times = [task.step.at for process in self.processes for task in process.tasks.values() if task.step]
        times += [at for at, _, _ in self.coming]
        noted = [at for row in self.connection.execute(_TIMES).fetchall() for at in row if at is not None]
        noted += [self.policy.job_timeout + 3.01 + at for (at,) in self.connection.execute(_ACCEPTED).fetchall()]
        times += [at - self.ahead for at in noted]
        ahead = [at for at in times if at > self.now]
        self.now = min([*ahead, self.now + at_most])


@cache
def connection() -> sqlite3.Connection:
    """Give the one store in memory that all histories of this process are written in, one after the other."""
    return in_memory()
