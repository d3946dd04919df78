"""What an API key may be allowed to do."""

from enum import StrEnum


class Scope(StrEnum):
    """One kind of permission; a key without the one that a request needs is answered 403 `forbidden`."""

    SUBMIT = "submit"
    READ = "read"
    REDELIVER = "redeliver"
    OPERATE = "operate"
    METRICS = "metrics"


ALL_SCOPES = frozenset(Scope)
