"""Runway's tasks: created, asked about, and deleted, which cancels what is not finished."""

from collections.abc import Mapping

from providers.base import Order
from providers.capabilities import Given
from providers.http.responses import Response
from providers.kit import AccountQuestion, KitClient, Wish, ask_to_cancel
from providers.parsing.job_answers import JobAnswers
from providers.parsing.status import UnknownStatus, describe_response, ignore
from providers.reports import CancelAnswer, CancelResult, Failed, Handle, Ready, Report, Working
from providers.runway.capabilities import CAPABILITIES
from schemas.names import Orientation, RefundStatus
from schemas.video import Refund

_CHARGED = Refund(status=RefundStatus.CHARGED, credits=0)
_MODERATED = ("SAFETY.", "INPUT_PREPROCESSING.SAFETY.")


class RunwayAnswers(JobAnswers):
    """Reads tasks."""

    def report(self, document: Mapping[str, object], answer: Response | None = None) -> Report:
        """Read a task; a finished one has fresh addresses each time."""
        word = document.get("status")
        match word:
            case "PENDING" | "THROTTLED" | "RUNNING":
                # THROTTLED is accepted, and waits there for its turn.
                return Working()
            case "SUCCEEDED":
                output = document.get("output")
                return self.ready(output if isinstance(output, list) else [output])
            case "FAILED":
                return self._failure(document)
            case "CANCELLED":
                return Failed("the task was cancelled", cancelled=True)
            case str():
                return self.unheard(word)
            case _:
                return self.no_state(answer)

    def deleted(self, answer: Response) -> CancelAnswer:
        """Say what a deletion came to."""
        result = CancelResult.DONE if answer.is_success else CancelResult.UNKNOWN
        return CancelAnswer(result, describe_response(answer, self.account))

    def _failure(self, task: Mapping[str, object]) -> Failed:
        code = self.clean(task.get("failureCode"))
        said = self.clean(task.get("failure")) or "Runway reports FAILED and gives no reason"
        message = f"{said} ({code})" if code else said
        if code.startswith(_MODERATED):
            evidence = f"{code}; its pages: moderated generations have the same credit cost"
            return Failed(message, refund=_CHARGED, evidence=evidence)
        return Failed(message)


class Runway(KitClient[RunwayAnswers]):
    """Creates tasks, asks about them, and keeps nothing but its connections."""

    record = CAPABILITIES
    jobs_path = "/v1/tasks"
    account_question = AccountQuestion("/v1/organization", "creditBalance", int, "credits")

    def __init__(self, given: Given, unknown_status: UnknownStatus = ignore) -> None:
        super().__init__(given, RunwayAnswers, unknown_status, headers={"X-Runway-Version": given.options["version"]})

    def wish(self, order: Order, image_url: str, prompt: str) -> Wish:
        """Write the task to create."""
        task: dict[str, object] = {
            "model": self.options["model"],
            "promptImage": image_url,
            "ratio": self.options["landscape" if order.orientation is Orientation.LANDSCAPE else "portrait"],
            "duration": self.option("duration"),
        }
        # An empty text is refused.
        return Wish("/v1/image_to_video", {**task, "promptText": prompt} if prompt else task)

    async def cancel(self, job: Handle) -> CancelAnswer:
        """Delete a task that is not finished: of a finished one that would destroy the video."""
        report = await self.check(job)
        if isinstance(report, Ready | Failed):
            return CancelAnswer(CancelResult.TOO_LATE, "the task is finished")
        if not isinstance(report, Working):
            return CancelAnswer(CancelResult.UNKNOWN, report.message)
        return await ask_to_cancel(self.checks.delete(self.path(job)), self.answers.deleted)


build = Runway
"""Builds the client from what the operator gave."""
