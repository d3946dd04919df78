"""The AsyncAPI 3.0 document: the events that subscribers receive, and the commands that they may send."""

import json
from typing import Any

from pydantic.json_schema import models_json_schema

from documents.json_schemas import request_schema
from documents.problem_help import EXPLANATIONS
from schemas.event import CONTENT_TYPE as EVENT_TYPE
from schemas.event import Event
from schemas.names import PROVIDERS, EventType
from schemas.problem import Problem, ProblemCode
from schemas.video import Document, Video

Json = dict[str, Any]

_BINDING = "0.3.0"

_ABOUT = {
    EventType.SUBMITTED: "A provider accepted the job. Not terminal.",
    EventType.FALLBACK: (
        "An attempt failed and the next provider is tried; the key and `data.provider` name the one that failed."
        " Not terminal."
    ),
    EventType.READY: "The video is ready. Terminal: a video has exactly one terminal event.",
    EventType.FAILED: "The video failed for good. Terminal: a video has exactly one terminal event.",
    EventType.LATE: "A provider finished after its attempt was given up. Not terminal; the video stays as it ended.",
}
_COMMAND_CODES = (
    ProblemCode.BAD_REQUEST,
    ProblemCode.PAYLOAD_TOO_LARGE,
    ProblemCode.INVALID_REQUEST,
    ProblemCode.IMAGE_REJECTED,
    ProblemCode.MOTION_UNSUPPORTED,
    ProblemCode.PROVIDER_DISABLED,
    ProblemCode.IDEMPOTENCY_CONFLICT,
)


def asyncapi() -> Json:
    """Build the document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "reelbus events and commands",
            "version": "1.0.0",
            "description": (
                "Bring your own queue: durable, bound to the exchange `video.events` by the keys you want. Events come"
                " at least once, a video's in order; drop those whose `id` you have seen. The stream"
                " `video.events.log` keeps seven days for replay."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": EVENT_TYPE,
        "servers": {
            "broker": {
                "host": "localhost:5672",
                "protocol": "amqp",
                "protocolVersion": "0-9-1",
                "description": "RabbitMQ; the operator names its address and credentials.",
            }
        },
        "channels": {**_event_channels(), **_command_channels()},
        "operations": {**_event_operations(), **_command_operations()},
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


def _event_channels() -> Json:
    exchange = {"name": "video.events", "type": "topic", "durable": True, "autoDelete": False, "vhost": "/"}
    return {
        _short(event_type): {
            "address": f"{event_type}.{{provider}}",
            "description": _ABOUT[event_type],
            "messages": {_short(event_type): _ref("messages", _short(event_type))},
            "parameters": {
                "provider": {
                    "description": (
                        "The provider that the event tells of; none where no provider was chosen."
                        " The list is open: bind with a `*` unless you want one alone."
                    ),
                    "examples": [*PROVIDERS, "none"],
                }
            },
            "bindings": {"amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": _BINDING}},
        }
        for event_type in EventType
    }


def _event_operations() -> Json:
    return {
        f"publish{_short(event_type).capitalize()}": {
            "action": "send",
            "channel": _ref("channels", _short(event_type), root=True),
            "summary": _ABOUT[event_type],
            "messages": [{"$ref": f"#/channels/{_short(event_type)}/messages/{_short(event_type)}"}],
            "bindings": {"amqp": {"deliveryMode": 2, "mandatory": True, "bindingVersion": _BINDING}},
        }
        for event_type in EventType
    }


def _command_channels() -> Json:
    exchange = {"name": "video.commands", "type": "direct", "durable": True, "autoDelete": False, "vhost": "/"}
    return {
        "submit": {
            "address": "submit",
            "description": (
                "Ask for a video. `message_id` is the idempotency key, in a key space of its own. A body that is no"
                " JSON object goes to `video.commands.dead` with the header `x-reason`; a refused command does where"
                " it names no `reply_to`, or a queue that commands may not name. RabbitMQ 4 takes 16 MiB at most:"
                " send a large picture by its address."
            ),
            "messages": {"submit": _ref("messages", "submit")},
            "bindings": {"amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": _BINDING}},
        },
        "replies": {
            "address": None,
            "description": (
                "The queue that a command names in `reply_to`: direct reply-to, a queue that the broker named"
                " (`amq.gen-…`), or one with a prefix of `REELBUS_REPLY_TO_PREFIXES`."
            ),
            "messages": {"video": _ref("messages", "video"), "problem": _ref("messages", "problem")},
        },
    }


def _command_operations() -> Json:
    return {
        "takeCommand": {
            "action": "receive",
            "channel": _ref("channels", "submit", root=True),
            "summary": "Take a command to make a video",
            "messages": [{"$ref": "#/channels/submit/messages/submit"}],
            "reply": {
                "address": {"location": "$message.header#/reply_to"},
                "channel": _ref("channels", "replies", root=True),
                "messages": [
                    {"$ref": "#/channels/replies/messages/video"},
                    {"$ref": "#/channels/replies/messages/problem"},
                ],
            },
        }
    }


def _messages() -> Json:
    events = {
        _short(event_type): {
            "name": str(event_type),
            "title": str(event_type),
            "summary": _ABOUT[event_type],
            "contentType": EVENT_TYPE,
            "headers": _event_headers(),
            "correlationId": {"location": "$message.header#/correlation_id"},
            "payload": {
                "allOf": [
                    _ref("schemas", "Event"),
                    {"type": "object", "properties": {"type": {"const": str(event_type)}}},
                ]
            },
            "bindings": {"amqp": {"messageType": str(event_type), "bindingVersion": _BINDING}},
        }
        for event_type in EventType
    }
    return {**events, **_command_messages()}


def _command_messages() -> Json:
    reasons = " ".join(f"`{code}`: {EXPLANATIONS[code]}" for code in _COMMAND_CODES)
    return {
        "submit": {
            "name": "submit",
            "title": "A command to make a video",
            "contentType": "application/json",
            "headers": _properties("The idempotency key.", "Comes back with the reply."),
            "payload": _ref("schemas", "VideoRequest"),
        },
        "video": {
            "name": "video",
            "title": "The accepted video",
            "contentType": "application/json",
            "correlationId": {"location": "$message.header#/correlation_id"},
            "payload": _ref("schemas", "Video"),
        },
        "problem": {
            "name": "problem",
            "title": "Why a command was refused",
            "description": reasons,
            "contentType": "application/problem+json",
            "correlationId": {"location": "$message.header#/correlation_id"},
            "payload": _ref("schemas", "Problem"),
        },
    }


def _event_headers() -> Json:
    """Describe the properties, and the headers by which streams and headers exchanges can filter."""
    described = _properties("The event's id.", "The video's id.")
    described["description"] = "AMQP properties, and headers that repeat the envelope for filters."
    for name in ("specversion", "id", "source", "type", "subject", "time"):
        described["properties"][f"cloudEvents_{name}"] = {"type": "string", "description": f"The event's `{name}`."}
    described["properties"]["traceparent"] = {
        "type": "string",
        "description": "The trace of the request (W3C Trace Context); only where it came with one.",
    }
    for name in ("id", "timestamp", "signature"):
        described["properties"][f"webhook-{name}"] = {
            "type": "string",
            "description": "Standard Webhooks, over the exact body; only where `REELBUS_EVENT_SIGNING_SECRET` is set.",
        }
    described["properties"]["provider"] = {
        "type": "string",
        "description": "The last word of the routing key. The list is open.",
        "examples": [*PROVIDERS, "none"],
    }
    return described


def _properties(message_id: str, correlation_id: str) -> Json:
    return {
        "type": "object",
        "description": "AMQP properties.",
        "properties": {
            "message_id": {"type": "string", "description": message_id},
            "correlation_id": {"type": "string", "description": correlation_id},
        },
    }


def _schemas() -> Json:
    shown: list[type[Document]] = [Event, Video, Problem]
    template = "#/components/schemas/{model}"
    _, definitions = models_json_schema([(model, "serialization") for model in shown], ref_template=template)
    request = request_schema()
    named = {**request.pop("$defs"), "VideoRequest": request}
    text = json.dumps(named).replace("#/$defs/", "#/components/schemas/")
    return {**definitions["$defs"], **json.loads(text)}


def _short(event_type: EventType) -> str:
    return event_type.value.removeprefix("video.")


def _ref(kind: str, name: str, *, root: bool = False) -> Json:
    return {"$ref": f"#/{kind}/{name}" if root else f"#/components/{kind}/{name}"}
