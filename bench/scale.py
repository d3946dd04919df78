"""Goal 13: what a long life costs, with a million finished and a hundred thousand open videos in the store."""

import asyncio
import time
from pathlib import Path

from bench.load import OPEN_ATTEMPTS
from bench.measures import Row, ratios
from bench.seeding import create, seed_finished, seed_open
from bench.setting import Setting, interleave, measure
from jobs import check_claims
from jobs.policy import Policy
from schemas.names import Provider
from store.database import Store

_FINISHED, _OPEN = 1_000_000, 100_000
_CLAIMS = 200


def measure_scale(setting: Setting) -> list[Row]:
    """Accept webhooks and videos, and pick due work, with a full and with an empty store."""
    less = 10 if setting.quick else 1
    full, empty = setting.fresh(), setting.expecting()
    now = time.time()
    path = create(full)
    seed_finished(path, 0, _FINISHED // less, at=now - 1_000_000)
    seed_open(path, _FINISHED // less, _OPEN // less, at=now, due=now - 1)
    with setting.role("receiver", full) as laden, setting.role("receiver", empty) as light:
        found = interleave(
            setting.rounds,
            {
                "webhook full": lambda: measure(setting, laden, "webhook", first_attempt=_FINISHED // less),
                "webhook empty": lambda: measure(setting, light, "webhook"),
                "video full": lambda: measure(setting, laden, "video"),
                "video empty": lambda: measure(setting, light, "video"),
            },
        )
    picked = _picked(setting, {"full": full, "empty": empty})
    rates = {name: [measured.answers.rate for measured in rounds] for name, rounds in found.items()}
    filling = f"{_FINISHED // less:,} finished and {_OPEN // less:,} open"
    return [
        Row(
            "13", f"webhooks: store with {filling} / empty", ratios(rates["webhook full"], rates["webhook empty"]),
            0.8, 0.95,
        ),
        Row("13", "videos accepted: the same", ratios(rates["video full"], rates["video empty"]), 0.8, 0.95),
        Row("13", "picking due work: the same", ratios(picked["full"], picked["empty"]), 0.8, 0.95),
    ]  # fmt: skip


def _picked(setting: Setting, folders: dict[str, Path]) -> dict[str, list[float]]:
    """Claim due attempts, 16 at a time; the empty store is given just as many as are claimed."""
    seed_open(
        folders["empty"] / "reelbus.db", OPEN_ATTEMPTS, 16 * _CLAIMS * (setting.rounds + 1), at=time.time(), due=1.0
    )
    rates: dict[str, list[float]] = {name: [] for name in folders}
    for _ in range(setting.rounds):
        for name, folder in folders.items():
            rates[name].append(asyncio.run(_claim(folder)))
    return rates


async def _claim(folder: Path) -> float:
    store = await Store.open(f"sqlite:///{folder / 'reelbus.db'}")
    policy = Policy(rates={Provider("iacrea"): 1e9, Provider("homedesigns"): 1e9})
    began = time.perf_counter()
    for _ in range(_CLAIMS):
        found = await store.write(
            check_claims.claim, policy, Provider("iacrea"), owner="bench", room=16, now=time.time()
        )
        if len(found.work) != 16:
            raise LookupError("too little was due")
    seconds = time.perf_counter() - began
    await store.close()
    return _CLAIMS / seconds
