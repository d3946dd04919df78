"""Whether a provider's webhooks come is read from its newest videos."""

from jobs import webhook_record
from schemas.names import Provider
from schemas.status import WebhookRecord
from tests.support.job_scenario import READY, JobScenario

IACREA, HOMEDESIGNS = Provider("iacrea"), Provider("homedesigns")


def record(desk: JobScenario) -> WebhookRecord:
    found = desk.do(webhook_record.of_provider, IACREA)
    assert found is not None
    return found


def by_webhook(desk: JobScenario) -> None:
    attempt = desk.generating()
    desk.now += 5
    desk.webhook(attempt)
    [claimed] = desk.due()
    desk.now += 0.5
    desk.learn(claimed, READY)


def by_poll(desk: JobScenario) -> None:
    desk.checked(desk.generating(), READY)


def test_before_any_video_there_is_nothing_to_say(desk: JobScenario) -> None:
    assert record(desk) == WebhookRecord(videos=0, arrived=0, missed_in_a_row=0, seconds_to_end=None)


def test_webhooks_that_came_and_the_newest_that_did_not_are_counted(desk: JobScenario) -> None:
    by_poll(desk)
    by_webhook(desk)
    assert (record(desk).arrived, record(desk).missed_in_a_row) == (1, 0)
    by_poll(desk)
    by_poll(desk)
    assert record(desk) == WebhookRecord(videos=4, arrived=1, missed_in_a_row=2, seconds_to_end=0.5)


def test_one_that_calls_nobody_back_has_no_record(desk: JobScenario) -> None:
    assert desk.do(webhook_record.of_provider, HOMEDESIGNS) is None
