"""Run one seed: a time of trouble, then calm until nothing is left to do, then the invariants."""

from collections.abc import Callable

from store import pauses
from store.attempts import AttemptState
from store.database import StoreUnavailable
from tests.simulation import outsiders
from tests.simulation.invariants import Broken, check_all
from tests.simulation.peers import SIMULATED
from tests.simulation.processes import Process
from tests.simulation.retries import ask_again
from tests.simulation.virtual import virtual
from tests.simulation.world import SimulatedWorld

TROUBLE = 70
MOST_ROUNDS = 400

ACTS: list[tuple[int, str]] = [
    (50, "advance"), (22, "work"), (10, "time passes"), (4, "request"), (3, "crash"), (2, "stop"), (3, "freeze"),
    (3, "forge"), (2, "broker away"), (2, "store away"), (2, "lease runs out"), (3, "is overtaken"), (1, "downtime"),
    (3, "provider away"), (2, "pause"), (2, "clock"), (1, "still"), (2, "retry"), (2, "cancel"),
]  # fmt: skip
_WEIGHTS = [weight for weight, _ in ACTS]
_NAMES = [name for _, name in ACTS]


def run(seed: int) -> SimulatedWorld:
    """Live one history. Raises `Broken`, with the whole history in its message."""
    world = SimulatedWorld(seed)
    with virtual(world):
        try:
            world.request()
            for _ in range(TROUBLE):
                act(world, world.rng.choices(_NAMES, _WEIGHTS)[0])
            settle(world)
            check_all(world)
        except Exception as error:
            raise Broken(f"seed {seed}: {error}\n{story(world)}") from error
    return world


def act(world: SimulatedWorld, name: str) -> None:
    """Have one thing happen."""
    world.happen()
    process = world.rng.choice(world.processes)
    acts: dict[str, Callable[[], None]] = {
        "work": lambda: world.work(process),
        "request": world.request,
        "crash": lambda: world.crash(process),
        "stop": lambda: world.stop(process),
        "forge": lambda: outsiders.forge(world),
        "cancel": lambda: outsiders.wish_to_stop(world),
        "pause": lambda: pause_or_resume(world),
        "time passes": lambda: pass_time(world, world.rng.choice((0.01, 0.3, 1.0, 4.0))),
        "downtime": lambda: world.all_die(world.policy.job_timeout + 60),
        "lease runs out": lambda: watch_leases(world, process),
        "is overtaken": lambda: overtake(world),
        "clock": lambda: world.put_clock(world.rng.choice((11.0, 3600.0, -11.0, -3600.0, -world.ahead))),
        "still": lambda: pass_time(world, 600.0),
        "retry": lambda: ask_again(world),
        "advance": lambda: advance(world),
    }
    if name in acts:
        acts[name]()
        world.note_states(at=world.now)
        return
    until = world.now + world.rng.choice((0.5, 3.0, 15.0))
    world.note("fate", name)
    if name == "freeze":
        process.frozen_until = until
    elif name == "broker away":
        world.broker.away_until = until
    elif name == "provider away":
        world.accounts[world.rng.choice(tuple(world.accounts))].away_until = until
    else:
        world.store_away_until = until


def pause_or_resume(world: SimulatedWorld) -> None:
    """Have an operator pause a provider, or resume it."""
    provider = world.rng.choice(SIMULATED)
    try:
        if not world.transact(pauses.end, provider):
            world.transact(pauses.begin, provider, caller="ops", now=world.wall)
    except StoreUnavailable:
        return
    world.note("operator", f"pauses or resumes {provider}")


def advance(world: SimulatedWorld) -> None:
    """Let some task go on, or where none can, time pass."""
    runnable = world.runnable()
    if runnable:
        world.advance(*world.rng.choice(runnable))
    else:
        world.let_go_by(at_most=2.0)


def pass_time(world: SimulatedWorld, seconds: float) -> None:
    """Let time pass."""
    world.now += seconds


def watch_leases(world: SimulatedWorld, process: Process) -> None:
    """Let a lease run out before the eyes of a process, which looks each second, while nobody else does anything."""
    for _ in range(11):
        pass_time(world, 1.0)
        world.work(process)
        world.note_states(at=world.now)


def overtake(world: SimulatedWorld) -> None:
    """Let a generator stand still with what it sends until another one has seen its leases run out."""
    busy = [process for process in world.processes if process.role == "generator" and process.tasks]
    if not busy:
        return
    slow = world.rng.choice(busy)
    slow.frozen_until = world.now + 12
    world.note(slow.name, "stands still")
    watch_leases(world, next(each for each in world.processes if each.role == "generator" and each is not slow))


def settle(world: SimulatedWorld) -> None:
    """Let everything work without trouble until nothing is left to do."""
    world.calm = True
    for provider in SIMULATED:
        world.transact(pauses.end, provider)
    for process in world.processes:
        process.frozen_until = 0.0
    for _ in range(MOST_ROUNDS):
        world.happen()
        ran = take_turns(world)
        if not at_rest(world):
            world.let_go_by(at_most=200.0)
        elif world.coming:
            world.now = max(at for at, _, _ in world.coming)
        elif not ran:
            return
    raise Broken(f"everything comes to an end: {open_states(world)}")


_WORK = """
SELECT EXISTS (SELECT 1 FROM videos WHERE state = 'accepted')
    OR EXISTS (SELECT 1 FROM attempts WHERE state IN ('waiting', 'claimed', 'sending')),
  EXISTS (SELECT 1 FROM webhooks WHERE handled_at IS NULL)
    OR EXISTS (SELECT 1 FROM attempts WHERE due_at <= :now OR accepted_at <= :overdue),
  EXISTS (SELECT 1 FROM outbox WHERE published_at IS NULL)
"""


def take_turns(world: SimulatedWorld) -> bool:
    """Let one process of each role work if there may be anything for it; say whether there was."""
    overdue = world.wall - world.policy.job_timeout - 3
    wanted = world.connection.execute(_WORK, {"now": world.wall, "overdue": overdue}).fetchone()
    for process, want in zip(world.processes[::2], wanted, strict=True):
        if want:
            world.work(process)
    ran = False
    while runnable := world.runnable():
        ran = True
        for process, key in runnable:
            if key in process.tasks:
                world.advance(process, key)
    world.note_states(at=world.now)
    return ran


def at_rest(world: SimulatedWorld) -> bool:
    """Say whether every video has ended, every event is out, and nobody has anything in hand."""
    if any(process.tasks for process in world.processes):
        return False
    waiting: int = world.connection.execute(
        "SELECT (SELECT COUNT(*) FROM videos WHERE completed_at IS NULL)"
        " + (SELECT COUNT(*) FROM outbox WHERE published_at IS NULL)"
    ).fetchone()[0]
    return waiting == 0


def open_states(world: SimulatedWorld) -> list[tuple[str, AttemptState]]:
    """List the attempts that have not ended, for the message."""
    sql = "SELECT id, state, due_at, lease_owner FROM attempts WHERE finished_at IS NULL"
    return world.connection.execute(sql).fetchall()


def story(world: SimulatedWorld) -> str:
    """Tell a history line by line."""
    lines = [f"{at:9.3f}  {who:<12} {what}" for at, who, what in world.history]
    sql = "SELECT at, video_id, attempt, what, detail FROM history ORDER BY id"
    rows = world.connection.execute(sql).fetchall()
    return "\n".join([*lines, "— what the store noted —", *map(str, rows)])
