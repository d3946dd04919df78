"""Who has the credit of what failed: pure rules, from what each provider documents.

What a job that a provider itself reports as failed comes to, its record says. What a provider certainly never
accepted was not charged. Of everything else nobody can tell.
"""

from collections.abc import Sequence

from providers.registry import capabilities
from providers.reports import Failed
from schemas.names import Provider, RefundStatus
from schemas.video import Refund

NOT_CHARGED = Refund(status=RefundStatus.NOT_CHARGED, credits=0)
CHARGED = Refund(status=RefundStatus.CHARGED, credits=0)
UNKNOWN = Refund(status=RefundStatus.UNKNOWN, credits=None)


def of_reported_failure(provider: Provider, report: Failed) -> Refund:
    """Say what becomes of the credit of a job that its provider itself reports as failed.

    What the report tells of this job counts before what the provider's pages say of all.
    """
    return report.refund or capabilities(provider).failure_refund


def evidence_of(provider: Provider, report: Failed) -> str:
    """Say where that is known from: from what the report tells of this job, else from what the pages say of all."""
    return report.evidence or capabilities(provider).refund_evidence


def total(refunds: Sequence[Refund]) -> Refund:
    """Sum up the refunds of a video's failed attempts."""
    statuses = {refund.status for refund in refunds}
    if RefundStatus.UNKNOWN in statuses:
        return UNKNOWN
    if RefundStatus.REFUNDED in statuses:
        return Refund(status=RefundStatus.REFUNDED, credits=sum(refund.credits or 0 for refund in refunds))
    if RefundStatus.CHARGED in statuses:
        return CHARGED
    return NOT_CHARGED
