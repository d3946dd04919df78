"""A generator that is killed while its provider has the request and does not answer: paid once, and told truthfully."""

import pytest

from tests.crashes.conftest import SetStage
from tests.support.gallery import gallery
from tests.support.waiting import eventually

ENDS = {
    "iacrea": ("hang-after-accept-named", "ready"),
    "homedesigns": ("hang-after-accept", "submission_unknown"),
}
"""How the provider treats the request, and how its video ends: IACrea's webhook proves what nobody answered."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("provider", ENDS)
async def test_a_generator_killed_before_the_answer_pays_once_and_says_what_it_knows(
    provider: str, set_stage: SetStage
) -> None:
    behaviour, end = ENDS[provider]
    async with gallery() as pictures, set_stage() as on:
        weights = {"provider": provider, "weights": {behaviour: 1}}
        (await on.sandbox.http.post("/sandbox/behaviours", json=weights)).raise_for_status()
        # The receiver lives on, for a webhook is sent once.
        _, victim, *_ = await on.start("receiver", "generator", "poller", "publisher")
        await on.subscribe()
        video_id = await on.ask(1, provider, pictures)
        await eventually(lambda: on.paid(1), what="the provider's taking of the job")
        await victim.kill()
        await on.start("generator")
        video = await on.ended(video_id, within=80)
        assert (video["error"] or {"code": video["status"]})["code"] == end
        assert (await on.paid(1), on.terminals(video_id)) == (1, 1)
