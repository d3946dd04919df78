"""A signature is the one that the Standard Webhooks specification and its vectors name."""

import pytest

from process.standard_webhooks import new_secret, secret_key, signature_headers


def test_the_vector_of_a_providers_own_page_is_met() -> None:
    body = (
        b'{"id":"1234567890","status":"succeeded","message":"","create_time":1781080778802,"update_time":1781080794151}'
    )
    headers = signature_headers(
        "whsec_dGVzdHNlY3JldHRlc3RzZWNyZXR0ZXN0c2VjcmV0MTI=",
        message_id="9876543210",
        timestamp=1781080794,
        body=body,
    )
    assert headers["webhook-signature"] == "v1,UsKlJP00XoQyOn410NM9xv34sP+Gl0jnOO9Lcpr7NJ4="


def test_each_of_two_secrets_signs_so_that_one_can_be_rotated() -> None:
    older, newer = new_secret(), new_secret()
    alone = [signature_headers(each, message_id="1", timestamp=2, body=b"{}") for each in (newer, older)]
    both = signature_headers(newer, older, message_id="1", timestamp=2, body=b"{}")
    assert both["webhook-signature"].split(" ") == [headers["webhook-signature"] for headers in alone]


def test_a_new_secret_has_the_form_that_is_asked_for() -> None:
    assert len(secret_key(new_secret())) == 32
    assert new_secret() != new_secret()


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64 at all, though long enough"])
def test_a_secret_of_another_form_is_refused_with_the_mend(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        secret_key(secret)
