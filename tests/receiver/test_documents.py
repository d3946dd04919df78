"""The published documents are valid, name every error, are fresh as files, and describe what is really emitted."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from documents.asyncapi import asyncapi
from documents.json_schemas import events_schema, file_text, schema_files, video_schema
from documents.openapi import openapi
from documents.problem_help import EXPLANATIONS
from schemas.event import Event
from schemas.names import EventType
from schemas.problem import Problem, ProblemCode, problem
from schemas.request import VideoRequest
from tests.support.receiver import URL_REQUEST, Receiver

ROOT = Path(__file__).parents[2]
FILES = ROOT / "docs" / "schemas"
PARSER = ROOT / ".run" / "asyncapi"
PUBLISHED = {"openapi.json": openapi(), "asyncapi.json": asyncapi(), **schema_files()}


def test_the_openapi_document_is_valid() -> None:
    validate(openapi())


@pytest.mark.parametrize("name", schema_files())
def test_each_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(schema_files()[name])


def test_the_asyncapi_document_satisfies_the_official_parser() -> None:
    validator = PARSER / "validate.mjs"
    assert validator.exists(), "the official parser is missing: `make .run/asyncapi/.done` installs it"
    asked = subprocess.run(
        ["node", str(validator)], input=json.dumps(asyncapi()), capture_output=True, text=True, check=False
    )
    assert (asked.returncode, asked.stdout) == (0, ""), asked.stdout + asked.stderr


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_files_are_fresh(name: str) -> None:
    assert (FILES / name).read_text() == file_text(PUBLISHED[name]), "write them anew: python -m docs.write_schemas"


def test_there_are_no_other_files() -> None:
    assert {file.name for file in FILES.iterdir()} == PUBLISHED.keys()


@pytest.mark.parametrize("code", ProblemCode)
def test_every_code_is_named_and_explained(code: ProblemCode) -> None:
    assert f'"{code}"' in json.dumps(openapi())
    assert EXPLANATIONS[code]


@pytest.mark.parametrize("event_type", EventType)
def test_every_event_type_has_a_channel(event_type: EventType) -> None:
    addresses = [channel["address"] for channel in asyncapi()["channels"].values()]

    assert f"{event_type}.{{provider}}" in addresses


@pytest.mark.parametrize("document", [openapi(), asyncapi()], ids=["openapi", "asyncapi"])
def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = _references(document)

    assert references
    for reference in references:
        place: Any = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def _references(document: object) -> list[str]:
    if isinstance(document, list):
        return [found for part in document for found in _references(part)]
    if not isinstance(document, dict):
        return []
    own = [document["$ref"]] if isinstance(document.get("$ref"), str) else []
    return own + [found for part in document.values() for found in _references(part)]


async def test_what_is_emitted_fits_what_is_published(service: Receiver) -> None:
    video_id = await service.make(metadata={"a": "b"})
    await service.finish(video_id)
    video = (await service.http.get(f"/v1/videos/{video_id}")).json()
    outbox = await service.store.read(
        lambda tx: tx.execute("SELECT body FROM outbox WHERE video_id = ?", (video_id,)).fetchone()
    )

    Draft202012Validator(video_schema()).validate(video)
    Event.model_validate_json(outbox[0])
    event = json.loads(outbox[0])
    faults = [fault.message for fault in Draft202012Validator(events_schema()).iter_errors(event)]
    assert faults == ["[] should be non-empty"]  # the test's own video is ready without any address


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        ({}, True),
        ({"image_base64": "QQ=="}, False),
        ({"image_url": None}, False),
        ({"image_url": None, "image_base64": "QQ=="}, True),
        ({"motion": "fly"}, False),
        ({"colour": "red"}, False),
        ({"fallback": None}, True),
        ({"metadata": {"k": 1}}, False),
    ],
)
def test_the_published_request_is_the_one_that_is_taken(change: dict[str, object], fits: bool) -> None:  # noqa: FBT001 - a case
    validator = Draft202012Validator(schema_files()["request.v1.json"])

    assert validator.is_valid({**URL_REQUEST, **change}) is fits


@pytest.mark.asyncio(loop_scope="module")
async def test_problems_fit_their_schema(shared: Receiver) -> None:
    validator = Draft202012Validator(schema_files()["problem.v1.json"])

    validator.validate((await shared.http.post("/v1/videos", json={})).json())
    validator.validate((await shared.http.get("/no/such/address")).json())
    Problem.model_validate(problem(ProblemCode.NOT_FOUND, "x").model_dump())


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", ["openapi.json", "asyncapi.json", "schemas/video.v1.json", "schemas/event.v1.json"])
async def test_the_documents_are_served(shared: Receiver, name: str) -> None:
    answer = await shared.http.get(f"/{name}")

    assert answer.status_code == 200
    assert answer.json() == json.loads(json.dumps(PUBLISHED[name.removeprefix("schemas/")]))


@pytest.mark.asyncio(loop_scope="module")
async def test_an_event_names_a_schema_that_is_served(shared: Receiver) -> None:
    served = (await shared.http.get("/schemas/video.v1.json")).json()

    assert served == video_schema()
    assert served["$id"] == Event.model_fields["dataschema"].default == "urn:reelbus:schema:video.v1"


def test_the_known_fields_are_published() -> None:
    assert set(schema_files()["request.v1.json"]["properties"]) == set(VideoRequest.model_fields)
