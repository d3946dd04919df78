"""Tell the structured log what the audit log keeps, once it is committed."""

import structlog

from schemas.audit import AuditAction

_log = structlog.get_logger(__name__)


def log_action(action: AuditAction, *, actor: str, subject: str | None = None, detail: str | None = None) -> None:
    """Write an entry of the audit log as a line of the log."""
    _log.info("audit", action=action, actor=actor, subject=subject, detail=detail)
