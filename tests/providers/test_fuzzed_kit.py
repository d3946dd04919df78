"""A short run of the fuzzer of the kit's answers and webhooks; `make fuzz` runs it for longer."""

from tests.fuzz import parsers


def test_no_generated_answer_or_webhook_makes_a_client_raise_or_lie() -> None:
    assert parsers.run("answers and webhooks of the kit's providers", seed=1, share=0.05) >= 50
