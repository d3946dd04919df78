"""Everything that a stand-in can do with one submission, by name."""

from dataclasses import dataclass
from typing import Literal

from sandbox.faults import FAULTS
from sandbox.settings import Provider


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How one submission is treated, from its answer to its last webhook."""

    name: str
    says: str
    fault: str = ""
    """The fault in the submission's answer, none by default."""
    accepts: bool = True
    """Whether a video is begun and paid for."""
    ends: Literal["succeeded", "failed", "never"] = "succeeded"
    pace: Literal["usual", "at once", "late"] = "usual"
    form: str = "documented"
    """How a status answer is dressed; the words are the provider's module's own."""
    known: Literal["always", "never", "after a while", "until the end"] = "always"
    """When a status call knows the id."""
    ids: str = "usual"
    calls: int = 1
    """How many webhooks are sent."""
    call_at: Literal["end", "before the answer", "halfway", "late"] = "end"
    call_body: Literal["documented", "named", "misnamed", "empty", "form", "huge"] = "documented"


_GENTLE = (
    Behaviour("ok", "finishes with one video, as documented"),
    Behaviour("stuck-then-late", "finishes, but only after a long while", pace="late"),
    Behaviour("never-finishes", "is accepted and never finishes", ends="never", calls=0),
    Behaviour("hostile-urls", "finishes with addresses of which none is usable", form="hostile"),
    Behaviour("hostile-urls-mixed", "finishes with unusable addresses and one good one", form="hostile-mixed"),
    Behaviour("private-urls", "finishes with an address on a link-local network", form="private"),
    Behaviour("fail-then-succeed", "says failed once and succeeded ever after", form="flapping", calls=0),
)

_AFTER_ACCEPTING = tuple(
    Behaviour(f"{fault}-after-accept", f"accepts and charges, then {FAULTS[fault].says}", fault=fault)
    for fault in ("http-500", "http-502", "http-504", "html-200", "empty-200", "hang")
)

_SUBMIT_FAULTS = tuple(
    Behaviour(
        "reset-before-read" if fault.name == "reset" else fault.name,
        f"accepts and charges, but {fault.says}" if fault.spoils else f"{fault.says}; nothing is accepted",
        fault=fault.name,
        accepts=fault.spoils,
        calls=1 if fault.spoils else 0,
    )
    for fault in FAULTS.values()
)

_SHARED = _GENTLE + _AFTER_ACCEPTING + _SUBMIT_FAULTS


def _dropping(name: str, says: str, **call: object) -> Behaviour:
    says = f"accepts and charges, then drops the connection; {says}"
    return Behaviour(name, says, fault="reset", **call)  # type: ignore[arg-type]  # fields of Behaviour


_IACREA = (
    Behaviour("lower-case", "writes its status words in lower case", form="lower-case"),
    Behaviour("processing-noise", "mixes PROCESSING and other words for still running", form="noise"),
    Behaviour("fail", "ends FAILED without a reason, gives the credit back, calls the webhook", ends="failed"),
    Behaviour("fail-lower-case", "ends failed, in lower case", ends="failed", form="lower-case"),
    Behaviour("fail-with-reason", "ends FAILED with a reason", ends="failed", form="reason"),
    Behaviour("fail-silently", "ends FAILED and never calls the webhook", ends="failed", calls=0),
    Behaviour(
        "webhook-before-answer",
        "finishes at once and calls before the submission is answered",
        pace="at once",
        call_at="before the answer",
    ),
    Behaviour("webhook-before-ready", "calls halfway, while the status is still IN_PROGRESS", call_at="halfway"),
    Behaviour("webhook-twice", "calls twice", calls=2),
    Behaviour("webhook-x5", "calls five times at once", calls=5),
    Behaviour("webhook-never", "finishes and never calls", calls=0),
    Behaviour("webhook-late", "calls long after it finished", call_at="late"),
    Behaviour("webhook-empty", "calls with an empty body", call_body="empty"),
    Behaviour("webhook-form", "calls with a form instead of JSON", call_body="form"),
    Behaviour("webhook-huge", "calls with a body of 1 MB", call_body="huge"),
    Behaviour("webhook-names-generation", "calls with generation_id in the body", call_body="named"),
    Behaviour("webhook-names-other", "calls with a generation_id that nobody knows", call_body="misnamed"),
    Behaviour("succeeded-empty-once", "says SUCCEEDED without addresses once, then with", form="empty-once"),
    Behaviour("succeeded-empty-always", "says SUCCEEDED and never an address", form="empty-always"),
    Behaviour("url-singular", "gives the address as url, not urls", form="singular"),
    Behaviour("lost-id", "is accepted, but every status call answers 404", known="never"),
    Behaviour(
        "hang-after-accept-named",
        "accepts and charges, then never answers; the webhook comes with generation_id",
        fault="hang",
        call_body="named",
    ),
    _dropping("charge-and-drop", "the webhook comes later, naming nothing"),
    _dropping("charge-and-drop-anonymous", "the webhook comes later, naming nothing"),
    _dropping("charge-and-drop-named", "the webhook comes later with generation_id", call_body="named"),
    _dropping("charge-and-drop-misnamed", "the webhook names an unknown generation_id", call_body="misnamed"),
    _dropping("charge-and-drop-silent", "no webhook comes", calls=0),
    _dropping("charge-and-drop-fail", "it ends FAILED, the webhook says so without a name", ends="failed"),
)

_HOMEDESIGNS = (
    Behaviour("list", "finishes with a list of one object", form="list"),
    Behaviour("list-field", "finishes with output_video as a list", form="list-field"),
    Behaviour("success-tagged", "finishes with status SUCCESS beside the address", form="success-tagged"),
    Behaviour("wrapped", "finishes with everything under data", form="wrapped"),
    Behaviour("synchronous", "answers the submission with the finished video and no id", pace="at once"),
    Behaviour("id-26", "gives ids of 26 small letters and digits", ids="26"),
    Behaviour("id-example", "gives ids like the documentation's example, which is no UUID", ids="example"),
    Behaviour("queue-id", "calls the id queue_id in its answer", ids="queue_id"),
    Behaviour("fail", "ends FAILED, as RunPod says it", ends="failed", form="runpod"),
    Behaviour("fail-runpod", "ends FAILED, as RunPod says it", ends="failed", form="runpod"),
    Behaviour("fail-replicate", "ends failed, as Replicate says it", ends="failed", form="replicate"),
    Behaviour("fail-error", "ends with an error and no status", ends="failed", form="error"),
    Behaviour("cancelled", "ends CANCELLED", ends="failed", form="cancelled"),
    Behaviour("aborted", "ends aborted", ends="failed", form="aborted"),
    Behaviour("timed-out", "ends TIMED_OUT", ends="failed", form="timed-out"),
    Behaviour("unknown-word", "runs under a status word that nobody documented", form="unknown-word"),
    Behaviour("bad-id-early", "does not know its own id for the first seconds", known="after a while"),
    Behaviour("bad-id-late", "forgets the id at the moment it finishes", known="until the end"),
    Behaviour("lost-id", "never knows the id it gave", known="never"),
    _dropping("charge-and-drop", "nothing is heard of it again"),
)


def _by_name(*groups: tuple[Behaviour, ...]) -> dict[str, Behaviour]:
    return {behaviour.name: behaviour for group in groups for behaviour in group}


BEHAVIOURS: dict[Provider, dict[str, Behaviour]] = {
    "iacrea": _by_name(_SHARED, _IACREA),
    "homedesigns": _by_name(_SHARED, _HOMEDESIGNS),
}
