"""Least privilege: a process that asks no provider holds no provider's credentials."""

import os
import sys

from process.environment import PROVIDER_CREDENTIALS


def drop_provider_credentials() -> None:
    """Start this command anew without the providers' credentials, where its environment has any.

    A variable that is only unset stays in the memory of the process, and in `/proc/…/environ`.
    """
    kept = {name: value for name, value in os.environ.items() if name not in PROVIDER_CREDENTIALS}
    if len(kept) < len(os.environ):
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], kept)  # noqa: S606 - ourselves, without a shell
