"""What a provider is like is logged when it changes, not for each request."""

from structlog.testing import capture_logs

from process.provider_log import Answering, ProviderLog


def test_a_refused_key_is_an_error_once_until_it_is_taken_again() -> None:
    providers = ProviderLog()
    with capture_logs() as logs:
        for _ in range(3):
            providers.note("iacrea", Answering.UNAUTHORIZED, "HTTP 401")
        providers.note("homedesigns", Answering.UNAVAILABLE, "HTTP 503")
        providers.note("iacrea", Answering.WELL)
        providers.note("iacrea", Answering.UNAUTHORIZED, "HTTP 401")

    assert [(line["log_level"], line["provider"]) for line in logs] == [
        ("error", "iacrea"),
        ("warning", "homedesigns"),
        ("info", "iacrea"),
        ("error", "iacrea"),
    ]


def test_a_provider_that_answers_well_from_the_first_is_not_mentioned() -> None:
    with capture_logs() as logs:
        ProviderLog().note("iacrea", Answering.WELL)
    assert logs == []
