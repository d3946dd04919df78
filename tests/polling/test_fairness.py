"""With far more open jobs than the budget has checks, every job has its turn: nobody starves."""

import random
from statistics import median

from jobs import check, check_claims
from providers.reports import Working
from schemas.names import Provider
from tests.support.job_scenario import START, JobScenario

JOBS = 10_000
CHECKS_A_SECOND = 10
ENDED_AFTER = 600.0


def opened(desk: JobScenario) -> None:
    """Put open jobs into the store that were accepted one after the other."""
    rows = [(f"v{job}", f"a{job}", START - 60 + 60 * job / JOBS) for job in range(JOBS)]
    desk.connection.executemany(
        "INSERT INTO videos (id, state, motion, orientation, metadata, choice, fallback, input_image, caller,"
        " created_at, updated_at)"
        " VALUES (?, 'generating', 'zoom_in', 'landscape', '{}', 'homedesigns', 0, 'u', 'me', 0, 0)",
        [(video,) for video, _, _ in rows],
    )
    desk.connection.executemany(
        "INSERT INTO attempts (id, video_id, number, provider, state, provider_job_id, accepted_at, due_at)"
        " VALUES (?, ?, 1, 'homedesigns', 'generating', ?, ?, ?)",
        [(attempt, video, attempt, at, at + 8) for video, attempt, at in rows],
    )


def test_with_ten_thousand_open_jobs_and_ten_checks_a_second_nobody_starves() -> None:
    desk = JobScenario().under(
        job_timeout=100_000.0, rates={Provider("homedesigns"): CHECKS_A_SECOND, Provider("iacrea"): 1.0}
    )
    opened(desk)
    chance = random.Random(7)
    ends = {f"a{job}": START + chance.uniform(0, ENDED_AFTER) for job in range(JOBS)}
    delays: list[float] = []

    while ends:
        desk.now += 1
        for attempt in desk.do(
            check_claims.claim, desk.policy, Provider("homedesigns"), owner="poller", room=100, now=desk.now
        ).work:
            ended = ends[attempt.id] <= desk.now
            if ended:
                desk.connection.execute("UPDATE attempts SET state = 'succeeded' WHERE id = ?", (attempt.id,))
                delays.append(desk.now - ends.pop(attempt.id))
            else:
                desk.do(check.apply, desk.policy, attempt, Working(), owner="poller", now=desk.now)

    assert max(delays) / median(delays) <= 4
