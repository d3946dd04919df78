"""Who has the credit of what failed: pure rules, from what each provider documents.

Only IACrea documents a refund, and only for a job that it reports as FAILED. What a provider certainly never
accepted was not charged. Of everything else nobody can tell.
"""

from collections.abc import Sequence

from schemas.names import Provider, RefundStatus
from schemas.video import Refund

REFUNDED = Refund(status=RefundStatus.REFUNDED, credits=1)
NOT_CHARGED = Refund(status=RefundStatus.NOT_CHARGED, credits=0)
UNKNOWN = Refund(status=RefundStatus.UNKNOWN, credits=None)


def of_reported_failure(provider: Provider) -> Refund:
    """Say what becomes of the credit of a job that its provider itself reports as failed."""
    return REFUNDED if provider is Provider.IACREA else UNKNOWN


def total(refunds: Sequence[Refund]) -> Refund:
    """Sum up the refunds of a video's failed attempts."""
    statuses = {refund.status for refund in refunds}
    if RefundStatus.UNKNOWN in statuses:
        return UNKNOWN
    if RefundStatus.REFUNDED in statuses:
        return Refund(status=RefundStatus.REFUNDED, credits=sum(refund.credits or 0 for refund in refunds))
    return NOT_CHARGED
