"""Kling's API of 2026: a task is created under our own name, and many tasks are asked about at once."""

import time
from functools import partial
from urllib.parse import quote

from providers.base import LostSubmission, Order, VerificationFailed, WebhookMessage
from providers.capabilities import Given
from providers.http.batches import Batches
from providers.http.client import NoResponse
from providers.kit import KitClient, Wish
from providers.kling.answers import KlingAnswers, id_of, name_of
from providers.kling.capabilities import CAPABILITIES
from providers.parsing.signatures import standard_signature
from providers.parsing.status import UnknownStatus, describe_response, ignore
from providers.reports import (
    Found,
    Handle,
    LookupAnswer,
    NotFound,
    Report,
    Signature,
    Unavailable,
    UnknownJob,
)

_DAY_MS = 86_400_000


class Kling(KitClient[KlingAnswers]):
    """Creates tasks, asks about many of them at once, and finds those whose answer was lost."""

    record = CAPABILITIES

    def __init__(self, given: Given, unknown_status: UnknownStatus = ignore) -> None:
        self._webhook_secrets = [each.strip() for each in given.credentials["webhook_secret"].split(",") if each]
        super().__init__(given, KlingAnswers, unknown_status, more_secrets=tuple(self._webhook_secrets))
        self._batches: Batches[Report] = Batches(self._ask, most=CAPABILITIES.jobs_per_check)

    def wish(self, order: Order, image_url: str, prompt: str) -> Wish:
        """Write the task to create, under the order's name."""
        contents = [{"type": "prompt", "text": prompt}] if prompt else []
        options = {
            "external_task_id": order.name,
            "callback_url": order.webhook_url,
            "watermark_info": {"enabled": False},
        }
        task = {
            "contents": [*contents, {"type": "first_frame", "url": image_url}],
            "settings": {"resolution": self.options["resolution"], "duration": self.option("duration")},
            "options": {name: value for name, value in options.items() if value is not None and value != ""},
        }
        return Wish(f"/image-to-video/{quote(self.options['model'], safe='')}", task)

    async def check(self, job: Handle) -> Report:
        """Read the state of a task, together with others that are asked about at the same moment."""
        return await self._batches.ask(job.id)

    async def lookup(self, lost: LostSubmission) -> LookupAnswer:
        """Ask for the task that was created under our name."""
        try:
            answer = await self.checks.get(f"/tasks?external_task_ids={quote(lost.name, safe='')}")
        except NoResponse as error:
            return Unavailable(str(error))
        tasks = self.answers.tasks(answer)
        if isinstance(tasks, Unavailable):
            return tasks
        if isinstance(tasks, UnknownJob):
            return NotFound(tasks.message)
        for task in tasks:
            job = id_of(task)
            if job is not None and name_of(task) == lost.name:
                return Found(Handle(job), self.answers.report(task))
        if tasks:
            return Unavailable("Kling answered with tasks of another name")
        return NotFound("Kling knows no task of this name")

    async def signature(self, message: WebhookMessage) -> Signature:
        """Verify a callback; it comes without a signature until a secret was made in Kling's console."""
        return standard_signature(self._webhook_secrets, message)

    async def verify(self) -> str:
        """Ask for the resource packs of the last day, which costs nothing."""
        now = int(time.time() * 1000)
        try:
            answer = await self.checks.get(f"/account/costs?start_time={now - _DAY_MS}&end_time={now}")
        except NoResponse as error:
            raise VerificationFailed(f"{error}: check REELBUS_KLING_URL") from error
        document = self.answers.document(answer)
        data = document.get("data")
        if document.get("code") != 0 or not isinstance(data, dict):
            mend = "check REELBUS_KLING_API_KEY and the region in REELBUS_KLING_URL"
            raise VerificationFailed(f"{describe_response(answer, self.account)}: {mend}")
        packs = data.get("resource_pack_subscribe_infos")
        left = [str(each.get("remaining_quantity"))[:20] for each in packs or [] if isinstance(each, dict)]
        return f"Kling knows the key (left in its packs: {', '.join(left[:6]) or 'there is none'})"

    async def close(self) -> None:
        """Close every connection."""
        await self._batches.close()
        await super().close()

    async def _ask(self, job_ids: list[str]) -> dict[str, Report]:
        """Ask about many tasks; what the answer lacks is unknown."""
        named = ",".join(quote(job_id, safe="") for job_id in job_ids)
        try:
            tasks = self.answers.tasks(await self.checks.get(f"/tasks?task_ids={named}"))
        except NoResponse as error:
            tasks = Unavailable(str(error))
        if isinstance(tasks, UnknownJob) and len(job_ids) > 1:
            # It does not say which: each is asked about alone.
            return {job_id: (await self._ask([job_id]))[job_id] for job_id in job_ids}
        if isinstance(tasks, UnknownJob | Unavailable):
            return dict.fromkeys(job_ids, tasks)
        reports = {job: partial(self.answers.report, task) for task in tasks if (job := id_of(task)) is not None}
        absent = UnknownJob("Kling knows no task of this id")
        return {job_id: reports[job_id]() if job_id in reports else absent for job_id in job_ids}


build = Kling
"""Builds the client from what the operator gave."""
