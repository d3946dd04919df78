"""What can be wrong with the store as a whole."""

import sqlite3


class StoreUnavailable(Exception):
    """The store could not be read or written now: locked, full or read-only. Nothing was changed; try later."""


def translated(error: Exception) -> Exception:
    """Give `StoreUnavailable` for what is no fault of the statement, and any other error as it is."""
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(
        error, sqlite3.IntegrityError | sqlite3.ProgrammingError
    ):
        unavailable = StoreUnavailable(str(error))
        unavailable.__cause__ = error
        return unavailable
    return error
