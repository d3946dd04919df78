"""What each problem code means and how to mend it, for the documentation that a problem's `type` points to."""

from schemas.problem import ProblemCode

EXPLANATIONS: dict[ProblemCode, str] = {
    ProblemCode.BAD_REQUEST: (
        "The request could not be read at all: its body is not JSON, not UTF-8, holds NaN or Infinity, is nested "
        "too deeply, or is a broken form; or its head is not HTTP. Nothing was stored. Send valid JSON in UTF-8, "
        "or a form as RFC 7578 describes it."
    ),
    ProblemCode.UNAUTHORIZED: (
        "The API key is missing or wrong. Send one of the configured keys in the header "
        "“Authorization: Bearer KEY”. Without configured keys only programs on the same machine are served, "
        "and no web pages of other sites."
    ),
    ProblemCode.FORBIDDEN: (
        "The API key is valid, but lacks the scope that this request needs; the detail names it. Use a key that has "
        "it, or have the operator create one: “reelbus keys create NAME --scope …”. Without configured keys: the "
        "request came through a proxy, and only programs on the same machine are served."
    ),
    ProblemCode.NOT_FOUND: (
        "There is nothing at this address: no such route on this surface, no video of this id, or a token that is "
        "not ours or has expired. An unknown token is answered exactly as any unknown address."
    ),
    ProblemCode.METHOD_NOT_ALLOWED: (
        "The address exists but does not take this method. The header “Allow” lists those that it takes."
    ),
    ProblemCode.REQUEST_TIMEOUT: (
        "The body stopped coming: hardly anything arrived within 30 seconds. Send the request again, without pauses."
    ),
    ProblemCode.IDEMPOTENCY_CONFLICT: (
        "The idempotency key was used before for a request with other fields or another picture. Use a new key for a "
        "new request; repeat a request unchanged to get the video that it made."
    ),
    ProblemCode.NO_TERMINAL_EVENT: (
        "The video is not finished, so there is no terminal event to publish again. Wait until its status is ready "
        "or failed."
    ),
    ProblemCode.NOT_FINISHED: (
        "The video cannot be erased yet: it is still in work, or the broker has not confirmed all its events. Wait "
        "until its status is ready or failed and its events are published."
    ),
    ProblemCode.NOT_GENERATING: (
        "A check now was asked for, but no provider has the video in work: it waits to be submitted, or has ended. "
        "Read the video's status; a finished video needs no check, and a waiting one shows why in its timeline."
    ),
    ProblemCode.NOT_FAILED: (
        "The video is still in work, or it is ready, so there is nothing to retry. Wait until it has failed; to have a "
        "finished one made once more, submit it again."
    ),
    ProblemCode.RETRY_MAY_PAY_TWICE: (
        "Nobody knows whether the provider took a credit for the failed video, and may still make it. Look at the "
        "provider's account; then retry with the body {“accept_risk”: true}, or leave it."
    ),
    ProblemCode.CANCEL_UNSUPPORTED: (
        "The provider may have the job and cannot be asked to stop it, so nothing was changed. Wait for its end;"
        " leave it unused, or erase it then."
    ),
    ProblemCode.PAYLOAD_TOO_LARGE: (
        "The body is larger than the configured limit. Send a smaller picture, or only its address as image_url."
    ),
    ProblemCode.UNSUPPORTED_MEDIA_TYPE: (
        "The content type is neither application/json nor multipart/form-data, or the body is compressed. Send one "
        "of the two, uncompressed."
    ),
    ProblemCode.INVALID_REQUEST: (
        "The request is readable, but some of its fields are not valid. The member “errors” names every fault at "
        "once, each with its field as you wrote it. Nothing was stored."
    ),
    ProblemCode.IMAGE_REJECTED: (
        "The picture cannot be used: it is neither PNG nor JPEG by its content, smaller than 512x512, larger than 40 "
        "million pixels, animated, damaged or cut short. The detail says which."
    ),
    ProblemCode.MOTION_UNSUPPORTED: (
        "None of the providers that the request allows has this motion. Choose another motion, or let the provider "
        "be chosen with “auto”."
    ),
    ProblemCode.PROVIDER_DISABLED: (
        "The chosen provider has no credentials in this installation. Choose another one, or have the operator give "
        "it credentials."
    ),
    ProblemCode.RATE_LIMITED: (
        "This API key made too many requests. The header “Retry-After” says for how many seconds to pause; "
        "“RateLimit-Policy” and “RateLimit” tell the quota and what is left of it."
    ),
    ProblemCode.BUDGET_EXHAUSTED: (
        "The API key has a budget of videos a day (UTC), and those of today are used up. Nothing was stored. "
        "“Retry-After” says for how many seconds to wait for the next day; the operator may create a key with a "
        "larger budget."
    ),
    ProblemCode.OVERLOADED: (
        "More requests are waiting than can be served soon. Nothing was stored. Try again after “Retry-After” "
        "seconds; with an idempotency key that is always safe."
    ),
    ProblemCode.NOT_READY: (
        "The store, or for readiness the broker, cannot be used now. Nothing was changed. Try again after "
        "“Retry-After” seconds."
    ),
}
"""A paragraph for every code: when it comes, and what to do."""
