"""Stop a video on a caller's wish, and tell the truth about it: done, wished or too late, with what it costs.

What was certainly never sent ends here and now. What may have been sent is its provider's to stop: the wish is kept
with the attempt, the poller hands it on when it finds the job unfinished, and only the provider's own word ends the
video as cancelled. After a wish nothing is sent any more, to no provider.
"""

from dataclasses import dataclass

from jobs import audit, refunds, settle, view
from jobs.policy import Policy
from jobs.settle import AttemptFailed
from jobs.transitions import CANCEL_UNSENT, WAIT, apply_transition
from providers.capabilities import Cancel
from providers.registry import cancels
from providers.reports import CancelAnswer, CancelResult
from schemas.audit import AuditAction
from schemas.cancellation import Cancellation
from schemas.names import FINAL_STATUSES, CancelOutcome, ErrorCode, VideoStatus
from schemas.video import Refund, Video
from store import attempts, history, videos
from store.attempts import AttemptRow, AttemptState, CancelState
from store.transaction import Signal, Tx

_UNSENT = frozenset({AttemptState.WAITING, AttemptState.CLAIMED})
_NO_OTHER = Policy(providers=())
"""No provider is tried after a cancellation."""

_NEVER_SENT = "cancelled before anything was sent to a provider"


@dataclass(frozen=True, slots=True)
class CannotCancel:
    """Nothing was done: the provider may have the job and cannot be asked to stop it."""

    why: str


def cancel(tx: Tx, video_id: str, *, actor: str, now: float) -> Cancellation | CannotCancel | None:
    """Stop a video as far as that can be done; None where there is none of this id. The same again changes nothing."""
    video = videos.get(tx, video_id)
    if video is None:
        return None
    newest = _newest(tx, video_id)
    if video.state in FINAL_STATUSES:
        return of(view.existing(tx, video_id))
    if newest is None:
        settle.fail_unsent(tx, video_id, ErrorCode.CANCELLED, _NEVER_SENT, now=now)
    elif newest.state in _UNSENT:
        failing = AttemptFailed(ErrorCode.CANCELLED, _NEVER_SENT, refunds.NOT_CHARGED)
        settle.fail(tx, _NO_OTHER, newest, failing, now=now, step=CANCEL_UNSENT)
    elif newest.cancel is None:
        refusal = _wish(tx, newest, now=now)
        if refusal is not None:
            return refusal
    else:
        return of(view.existing(tx, video_id))
    audit.record(tx, AuditAction.CANCELLED, actor=actor, subject=video_id, now=now)
    return of(view.existing(tx, video_id))


def _newest(tx: Tx, video_id: str) -> AttemptRow | None:
    tried = attempts.of_videos(tx, [video_id])[video_id]
    return attempts.get(tx, tried[-1].id) if tried else None


def _wish(tx: Tx, attempt: AttemptRow, *, now: float) -> CannotCancel | None:
    """Keep the wish with an attempt that may have been sent, and have the poller hand it on at once."""
    if cancels(attempt.provider) is Cancel.NONE:
        return CannotCancel(
            f"{attempt.provider} may have the job and cannot be asked to stop it: nothing was changed, the video"
            " goes on, and costs what it costs"
        )
    columns: dict[str, object] = {"cancel": CancelState.WISHED, "cancel_at": now}
    if attempt.state is AttemptState.GENERATING and attempt.lease_owner is None:
        columns["due_at"] = now
    attempts.change(tx, attempt.id, attempt.state, columns, from_states={attempt.state})
    history.note(tx, attempt.video_id, "cancel wished", now=now, attempt=attempt.number)
    tx.notify(Signal.CHECKS)
    return None


def is_to_be_asked(attempt: AttemptRow) -> bool:
    """Say whether the provider of an unfinished job is still to be told of the wish to stop it."""
    wished = attempt.cancel in {CancelState.WISHED, CancelState.ASKED} and attempt.state is AttemptState.GENERATING
    return wished and attempt.provider_job_id is not None and cancels(attempt.provider) is not Cancel.NONE


def note_asking(tx: Tx, attempt: AttemptRow) -> bool:
    """Note, before its provider is asked to stop a job, that it may have; say whether there is still one to stop."""
    return apply_transition(tx, WAIT, attempt.id, {"cancel": CancelState.ASKED})


def answered(tx: Tx, policy: Policy, attempt: AttemptRow, answer: CancelAnswer, *, now: float) -> AttemptFailed | None:
    """Apply what a provider said to the wish; give the end where that was it. Without a clear word, ask again."""
    history.note(
        tx, attempt.video_id, f"cancel {_said(answer)}", now=now, attempt=attempt.number, detail=answer.message
    )
    match answer.result:
        case CancelResult.DONE:
            failing = AttemptFailed(ErrorCode.CANCELLED, answer.message, answer.refund)
            return failing if settle.fail(tx, policy, attempt, failing, now=now) else None
        case CancelResult.WISHED:
            _note(tx, attempt, CancelState.HEARD)
        case CancelResult.TOO_LATE:
            _note(tx, attempt, CancelState.TOO_LATE)
        case CancelResult.UNKNOWN:
            pass
    return None


def _note(tx: Tx, attempt: AttemptRow, state: CancelState) -> None:
    apply_transition(tx, WAIT, attempt.id, {"cancel": state})


def _said(answer: CancelAnswer) -> str:
    return answer.result.name.lower().replace("_", " ")


def end_absent(tx: Tx, policy: Policy, attempt: AttemptRow, *, now: float) -> bool:
    """End a wished attempt whose provider certainly has no job of it; say whether it was wished."""
    if attempt.cancel is None:
        return False
    failing = AttemptFailed(ErrorCode.CANCELLED, "cancelled; the provider took nothing", refunds.NOT_CHARGED)
    return settle.fail(tx, policy, attempt, failing, now=now)


def of(video: Video) -> Cancellation:
    """Tell how far a video is stopped, and what it costs."""
    if video.error is not None and video.error.code is ErrorCode.CANCELLED:
        return _told(video, CancelOutcome.DONE, video.error.message, video.refund)
    if video.status is VideoStatus.READY:
        return _told(video, CancelOutcome.TOO_LATE, "the video was finished, and is paid for", refunds.CHARGED)
    if video.status is VideoStatus.FAILED:
        return _told(video, CancelOutcome.TOO_LATE, "the video had failed already", video.refund)
    if video.cancellation is not None and video.cancellation.outcome is CancelOutcome.TOO_LATE:
        return _told(video, CancelOutcome.TOO_LATE, "its provider says that it is finished", refunds.UNKNOWN)
    message = "its provider is asked to stop it; whether it does, and what that costs, its end will tell"
    return _told(video, CancelOutcome.WISHED, message, refunds.UNKNOWN)


def _told(video: Video, outcome: CancelOutcome, message: str, refund: Refund | None) -> Cancellation:
    return Cancellation(id=video.id, outcome=outcome, message=message, refund=refund, status=video.status)
