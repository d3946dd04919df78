"""The examples of the OpenAPI document succeed when they are sent as they stand."""

import pytest

from documents.openapi import openapi
from tests.support.receiver import Receiver


@pytest.mark.parametrize("path", ["/v1/videos", "/v1/videos/batch"])
async def test_each_example_of_a_request_is_accepted(service: Receiver, path: str) -> None:
    examples = openapi()["paths"][path]["post"]["requestBody"]["content"]["application/json"]["examples"]
    assert examples
    for example in examples.values():
        answer = await service.http.post(path, json=example["value"])
        assert answer.status_code in {202, 207}, answer.text
        assert {item["status"] for item in answer.json().get("items", [])} <= {202}
