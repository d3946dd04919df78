"""The reference pages of the documentation, made from the code so that they cannot say anything else."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from documents.asyncapi import asyncapi
from documents.problem_help import EXPLANATIONS
from process import metrics
from providers.registry import PROVIDERS
from reelbus import errors
from reelbus.cli import app
from schemas.event import Event
from schemas.names import EVENT_KINDS, EventType, MotionForm
from schemas.problem import status_of
from schemas.samples import sample_event

DOCUMENTS = {
    "/openapi.json": "the HTTP API, OpenAPI 3.1",
    "/asyncapi.json": "events and commands on RabbitMQ, AsyncAPI 3.0",
    "/schemas/event.v1.json": "one JSON Schema 2020-12 that every event fits",
    "/docs": "the HTTP API to read and try",
    "/docs/events": "the events to read",
}
"""What every service gives beside its API, and what it is."""

_ENV_EXAMPLE = Path(__file__).parent.parent / "deploy/env.example"
_SECTION = re.compile(r"# --- (.+?) -+$")
_VARIABLE = re.compile(r"#?([A-Z_]+)=(.*)$")


def pages() -> dict[str, str]:
    """Give each page's name and its Markdown."""
    return {
        "configuration": configuration(_ENV_EXAMPLE.read_text()),
        "events": events(),
        "errors": errors_page(),
        "command-line": command_line(),
        "metrics": metrics_page(),
        "providers": providers(),
    }


def configuration(example: str) -> str:
    """List every setting of the example file, with its default and meaning, by section."""
    lines = [
        "# Configuration",
        "",
        "Every setting is an environment variable, or a line of `.env` (or of the file after `--env-file`). The",
        "environment wins. A key, token, secret, password or address may stand in a file of its own:",
        "`REELBUS_API_KEYS_FILE=/run/secrets/keys`. `reelbus doctor --json` shows where each value came from.",
    ]
    meaning: list[str] = []
    for line in example.splitlines():
        if section := _SECTION.match(line):
            lines += ["", f"## {section[1]}", "", "| variable | default or form | meaning |", "| --- | --- | --- |"]
            meaning = []
        elif variable := _VARIABLE.match(line):
            lines.append(f"| `{variable[1]}` | {_code(variable[2])} | {' '.join(meaning)} |")
        elif line.startswith("# "):
            meaning.append(line.removeprefix("# ").replace("|", "\\|"))
        else:
            meaning = []
    return "\n".join(lines) + "\n"


def events() -> str:
    """Describe each type of event, the envelope and the headers, with a sample."""
    document = asyncapi()
    about = {kind: document["channels"][kind]["description"] for kind in EVENT_KINDS}
    fields = Event.model_json_schema(mode="serialization")["properties"]
    headers = document["components"]["messages"]["ready"]["headers"]["properties"]
    sample = json.dumps(sample_event("ready"), indent=2)
    return "\n".join(
        [
            "# Events",
            "",
            "A CloudEvents 1.0 document around the video as the API gives it at that moment, on the topic exchange",
            "`video.events`. The routing key is the type and the provider: `video.ready.iacrea`. What may be added to",
            "`video.v1`, and what makes a `v2`: [the rule](../releasing.md#the-rule-for-videov1).",
            "",
            "## Types",
            "",
            "| type | meaning |",
            "| --- | --- |",
            *(f"| `{EventType(f'video.{kind}')}` | {text} |" for kind, text in about.items()),
            "",
            "## The envelope",
            "",
            "| attribute | value |",
            "| --- | --- |",
            *(f"| `{name}` | {_described(field)} |" for name, field in fields.items()),
            "",
            "## AMQP properties and headers",
            "",
            "| name | value |",
            "| --- | --- |",
            *(f"| `{name}` | {header.get('description', '')} |" for name, header in headers.items()),
            "",
            "## A sample",
            "",
            "`reelbus trigger ready` publishes one like it, marked with `reelbustest`.",
            "",
            "```json",
            sample,
            "```",
            "",
        ]
    )


def errors_page() -> str:
    """Explain every problem code of the API and every exit status of the command line."""
    statuses = {
        0: "done",
        errors.FAILURE: "failed",
        errors.BAD_USAGE: "bad usage, or a wrong setting",
        errors.UNAVAILABLE: "the service, the store or the broker is away",
        errors.NOT_FOUND: "not found",
        errors.VIDEO_FAILED: "the video failed (`submit --wait`)",
    }
    lines = [
        "# Errors",
        "",
        "## Of the HTTP API and of commands",
        "",
        "Every error is a problem document (RFC 9457) with a stable `code`.",
        "",
        "| code | status | meaning and mend |",
        "| --- | --- | --- |",
        *(f"| `{code}` | {status_of(code)} | {text} |" for code, text in EXPLANATIONS.items()),
        "",
        "## Of the command line",
        "",
        "| exit status | meaning |",
        "| --- | --- |",
        *(f"| {status} | {text} |" for status, text in statuses.items()),
    ]
    return "\n".join(lines) + "\n"


def command_line() -> str:
    """Show the help of every command."""
    lines = ["# Command line", "", "`reelbus --install-completion` teaches your shell all of these.", ""]
    for words, command, context in _commands(typer.main.get_command(app), None, "reelbus"):
        lines += [f"## {words}", "", "```text", command.get_help(context).strip(), "```", ""]
    return "\n".join(lines)


def metrics_page() -> str:
    """List every metric with its type and labels."""
    lines = [
        "# List of metrics",
        "",
        "What each is good for: [Metrics](../metrics.md).",
        "",
        "| metric | type | labels | meaning |",
        "| --- | --- | --- | --- |",
    ]
    for collector in {id(each): each for each in vars(metrics).values() if hasattr(each, "_labelnames")}.values():
        [family, *_] = collector.describe()
        labels = ", ".join(f"`{name}`" for name in collector._labelnames)  # noqa: SLF001 - there is no other way
        lines.append(f"| `{family.name}` | {family.type} | {labels} | {family.documentation} |")
    return "\n".join(lines) + "\n"


def providers() -> str:
    """Say of every provider what it can do and what it needs, from its own record."""
    lines = ["# Providers", "", "What each can do, from the record that the service itself goes by."]
    for name, each in PROVIDERS.items():
        needed = [f"`{_variable(name, setting.name)}`" for setting in each.credentials if setting.required]
        options = [f"`{_variable(name, option.name)}` ({option.says})" for option in each.options]
        exact = [motion for motion, offer in each.motions.items() if offer.form is MotionForm.OPTION]
        others = [f"`{motion}` ({offer.form})" for motion, offer in each.motions.items() if motion not in exact]
        reached = "calls a webhook, and is polled as well" if each.calls_back else "is polled"
        public = " It needs `REELBUS_PUBLIC_URL`: see [exposing the webhook](../webhook.md)." if each.calls_back else ""
        lines += [
            "",
            f"## {each.label}",
            "",
            f"It {reached}.{public}",
            "",
            "| | |",
            "| --- | --- |",
            f"| name | `{name}` |",
            f"| credentials | {', '.join(needed)} |",
            f"| options | {', '.join(options) or 'none'} |",
            f"| motions | {', '.join([f'`{motion}`' for motion in exact] + others)} |",
            f"| a failure's credit | {each.failure_refund.status}: {each.refund_evidence} |",
            f"| requests a second, unless set otherwise | {each.rate:g} |",
        ]
    return "\n".join(lines) + "\n"


def _variable(provider: str, setting: str) -> str:
    return f"REELBUS_{provider}_{setting}".upper()


def _commands(command: Any, parent: Any, name: str) -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401 - typer's own
    context = command.context_class(command, info_name=name, parent=parent)
    yield context.command_path, command, context
    for word in getattr(command, "commands", {}):
        yield from _commands(command.commands[word], context, word)


def _described(field: dict[str, Any]) -> str:
    if "const" in field:
        return f"`{field['const']}`"
    return str(field.get("description") or field.get("type") or "see the sample")


def _code(text: str) -> str:
    return f"`{text}`" if text else ""
