"""Runway's tasks: created, asked about, and deleted, which cancels what is not finished."""

from collections.abc import Mapping
from urllib.parse import quote

from providers.base import BeforeFirstByte, Order, ProviderClient
from providers.capabilities import Given
from providers.http.account import Account
from providers.http.client import NoResponse, ProviderHttp
from providers.http.responses import Response
from providers.http.submission import Submissions
from providers.parsing.answers import Answers
from providers.parsing.fields import job_id_in
from providers.parsing.questions import ask_account, ask_job
from providers.parsing.status import UnknownStatus, describe_response, ignore
from providers.parsing.submission import interpret_status, unreadable
from providers.prompt_motions import utf16_units, whole_prompt
from providers.reports import (
    Accepted,
    CancelAnswer,
    CancelResult,
    Failed,
    Handle,
    Ready,
    Refused,
    Report,
    SubmissionOutcome,
    Working,
)
from providers.runway.capabilities import CAPABILITIES
from schemas.names import ErrorCode, Orientation, RefundStatus
from schemas.video import Refund

_CHARGED = Refund(status=RefundStatus.CHARGED, credits=0)
_MODERATED = ("SAFETY.", "INPUT_PREPROCESSING.SAFETY.")


class Runway(ProviderClient):
    """Creates tasks, asks about them, and keeps nothing but its connections."""

    name = CAPABILITIES.name
    wants_bytes = CAPABILITIES.wants_bytes

    def __init__(self, given: Given, unknown_status: UnknownStatus = ignore) -> None:
        secret = given.credentials["secret"]
        self._options = given.options
        self._account = Account.of(
            CAPABILITIES, given, {"Authorization": f"Bearer {secret}", "X-Runway-Version": given.options["version"]}
        )
        self._answers = Answers(self._account, unknown_status)
        self._submissions = Submissions(self._account)
        self._checks = ProviderHttp(self._account)

    async def submit(self, order: Order, *, before_first_byte: BeforeFirstByte) -> SubmissionOutcome:
        """Create a task. Raises ValueError for an order without a picture's address."""
        if order.image_url is None:
            raise ValueError("Runway takes the address of a picture")
        prompt = whole_prompt(CAPABILITIES.motions[order.motion], order.prompt)
        if utf16_units(prompt) > (CAPABILITIES.prompt_limit or 0):
            return Refused(ErrorCode.REQUEST_REJECTED, f"the prompt is longer than {CAPABILITIES.prompt_limit}")
        answer = await self._submissions.post(
            "/v1/image_to_video", before_first_byte=before_first_byte, json=self._task(order, prompt)
        )
        return self._acceptance(answer) if isinstance(answer, Response) else answer

    async def check(self, job: Handle) -> Report:
        """Read the state of a task; a finished one gives fresh addresses each time."""
        return await ask_job(self._checks, _path(job), self._answers, report=self._report)

    async def cancel(self, job: Handle) -> CancelAnswer:
        """Delete a task that is not finished: of a finished one that would destroy the video."""
        report = await self.check(job)
        if isinstance(report, Ready | Failed):
            return CancelAnswer(CancelResult.TOO_LATE, "the task is finished")
        if not isinstance(report, Working):
            return CancelAnswer(CancelResult.UNKNOWN, report.message)
        try:
            answer = await self._checks.delete(_path(job))
        except NoResponse as error:
            return CancelAnswer(CancelResult.UNKNOWN, str(error))
        done = answer.is_success
        result = CancelResult.DONE if done else CancelResult.UNKNOWN
        return CancelAnswer(result, describe_response(answer, self._account))

    async def verify(self) -> str:
        """Ask for the organisation's credits, which costs nothing."""
        balance = await ask_account(self._checks, "/v1/organization", self._answers, field="creditBalance", kind=int)
        return f"Runway knows the secret (credits: {balance})"

    async def close(self) -> None:
        """Close every connection."""
        await self._checks.close()

    def _task(self, order: Order, prompt: str) -> dict[str, object]:
        ratio = self._options["landscape" if order.orientation is Orientation.LANDSCAPE else "portrait"]
        duration = self._options["duration"]
        task: dict[str, object] = {
            "model": self._options["model"],
            "promptImage": order.image_url,
            "ratio": ratio,
            "duration": int(duration) if duration.isdecimal() else duration,
        }
        # An empty text is refused.
        return {**task, "promptText": prompt} if prompt else task

    def _acceptance(self, answer: Response) -> SubmissionOutcome:
        refusal = interpret_status(answer, self._account)
        if refusal is not None:
            return refusal
        job = job_id_in(self._answers.document(answer), ("id",))
        return unreadable(self._account) if job is None else Accepted(job)

    def _report(self, task: Mapping[str, object], answer: Response) -> Report:
        word = task.get("status")
        match word:
            case "PENDING" | "THROTTLED" | "RUNNING":
                # THROTTLED is accepted, and waits there for its turn.
                return Working()
            case "SUCCEEDED":
                output = task.get("output")
                return self._answers.ready(output if isinstance(output, list) else [output])
            case "FAILED":
                return self._failure(task)
            case "CANCELLED":
                return Failed("the task was cancelled", cancelled=True)
            case str():
                return self._answers.unheard(word)
            case _:
                return self._answers.no_answer(answer)

    def _failure(self, task: Mapping[str, object]) -> Failed:
        code = self._answers.clean(task.get("failureCode"))
        said = self._answers.clean(task.get("failure")) or "Runway reports FAILED and gives no reason"
        message = f"{said} ({code})" if code else said
        if code.startswith(_MODERATED):
            evidence = f"{code}; its pages: moderated generations have the same credit cost"
            return Failed(message, refund=_CHARGED, evidence=evidence)
        return Failed(message)


def _path(job: Handle) -> str:
    return f"/v1/tasks/{quote(job.id, safe='')}"


build = Runway
"""Builds the client from what the operator gave."""
