"""The poller in a process of the service."""

from functools import partial

import poller.run
from providers.parsing.webhook_hints import read_webhook
from reelbus.asking import result_prover
from reelbus.parts import Parts


async def run(parts: Parts) -> None:
    """Ask the providers, read their webhooks, and settle what they say."""
    read = partial(
        read_webhook,
        ours=parts.settings.account_names,
        allow_private=parts.settings.allow_private_output_hosts,
    )
    prove = result_prover(parts.settings).prove
    await poller.run.run(parts.store, parts.policy, parts.clients, read, prove, parts.stop)
