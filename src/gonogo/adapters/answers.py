"""What a model answered, as text, in whatever shape it was logged; for hard constraints alone.

Shapes: OpenAI's chat completions, responses and completions; Anthropic's messages; Gemini's
candidates; Bedrock's Converse, bodies of InvokeModel and their streams; message parts of
OpenTelemetry, OpenInference's flattened messages, LangChain's generations. What a model thinks, and
what it only calls tools with, is no answer.

Sources: gen_ai.output.messages of the OpenTelemetry GenAI conventions, OpenInference's semantic
conventions, the API references of OpenAI, Anthropic and Amazon Bedrock, langchain-core's messages.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from gonogo.adapters.values import MASKED, dig, text, there, unpacked

WORDLESS: Final = "……"
"""Stands for an answer that has no text, since it only calls tools."""

REMOVED: Final = frozenset({"redacted-by-litellm", "__REDACTED__"})
"""What stands where LiteLLM or OpenInference was told not to log an answer."""

_LEVELS: Final = 12
_PLACES: Final = (
    "content",
    "parts",
    "text",
    "output_text",
    "answer",
    "message",
    "message_content",
    "contents",
    "outputText",
    "generation",
    "completion",
    "refusal",
)
"""Members that hold a text or what holds one, in the order in which they are looked into."""
_ENVELOPES: Final[dict[str, frozenset[str]]] = {
    "choices": frozenset({"message", "delta", "text"}),
    "output": frozenset({"message", "content", "type"}),
    "generations": frozenset({"text", "message"}),
    "candidates": frozenset({"content"}),
    "messages": frozenset({"role", "type", "kwargs"}),
    "results": frozenset({"outputText"}),
    "outputs": frozenset({"stop_reason"}),
    "completions": frozenset({"data"}),
    "data": frozenset({"tokens"}),
    "delta": frozenset({"text", "content", "toolUse", "tool_calls"}),
    "content_block": frozenset({"type"}),
    "contentBlockDelta": frozenset({"delta"}),
    "contentBlockStart": frozenset({"start"}),
    "start": frozenset({"toolUse"}),
    "kwargs": frozenset({"content"}),
}
"""Members of responses by what the things inside of them have; elsewhere such names mean little."""
_CALLS: Final = ("tool_calls", "toolCalls", "tool_call", "function_call", "toolUse", "toolCallId")
_CALL_TYPES: Final = frozenset({"tool_call", "tool_use", "function_call", "tool-call"})
_ASIDE: Final = frozenset(
    {
        "reasoning",
        "thinking",
        "redacted_thinking",
        "tool_result",
        "tool_call_response",
        "function_call_output",
    }
)
_OTHERS: Final = frozenset({"user", "human", "system", "developer", "tool", "function"})
_PIECES: Final = ("delta", "contentBlockDelta", "generation_token_count", "messageStop")
_DOTTED: Final = ("message.", "message_content.")
_MESSAGES: Final = "gen_ai.output.messages"
_COMPLETION: Final = "gen_ai.completion"
_FLAT: Final = ("llm.output_messages.", f"{_COMPLETION}.")
_WHOLE: Final = (
    "llm.output_messages",
    _COMPLETION,
    "ai.response.text",
    "ai.response.object",
    "ai.response.toolCalls",
    "output.value",
    "mlflow.spanOutputs",
    "traceloop.entity.output",
)
EVENTS: Final = frozenset(
    {
        "gen_ai.content.completion",
        "gen_ai.choice",
        "gen_ai.client.inference.operation.details",
    }
)
"""Events of a span that hold its answer."""

Told = Iterable[tuple[str, Mapping[str, Any]]]
"""events: (name, attributes)"""


def answer_of(value: Any) -> str | None:
    """The text of an answer; WORDLESS where it only calls tools, None where nothing is logged.

    A text is the answer itself, unless it is JSON of a text, of messages or of a response.
    """
    for _ in range(2):
        opened = unpacked(value) if isinstance(value, str) else value
        if isinstance(opened, str) or _is_envelope(opened):
            value = opened
    if there(value) is None:
        return None
    found = text_of(value)
    return None if found in REMOVED else found


def logged(value: Any, *, wanted: bool) -> str | None:
    """The answer where it is wanted, else only a mark that there is one."""
    return answer_of(value) if wanted else there(value)


def answer_of_span(have: Mapping[str, Any], events: Told) -> str | None:
    """The answer that a span's attributes hold, or else its events."""
    wordless = None
    for value in _told(have, events):
        found = answer_of(value)
        if found == WORDLESS:
            wordless = found
        elif found:
            return found
    return wordless


def answer_of_stream(pieces: Sequence[Any]) -> str | None:
    """The answer that the events of a stream make up together."""
    found = "".join(filter(None, (_text(piece, 0) for piece in pieces)))
    return found or (WORDLESS if any(_calls(pieces, 0)) else None)


def text_of(value: Any) -> str:
    """The text in an answer; WORDLESS where it only calls tools, else its JSON."""
    if isinstance(value, list) and value and all(isinstance(v, (Mapping, str)) for v in value):
        if _is_stream(value):
            return answer_of_stream(value) or ""
        texts = [text_of(item) for item in value if not _is_aside(item)]
        words = "\n".join(word for word in texts if word and word != WORDLESS)
        if words or WORDLESS in texts:
            return words or WORDLESS
    elif value is None or value in ({}, []):
        return ""
    else:
        found = _text(value, 0)
        if found is not None:
            return found
    return WORDLESS if any(_calls(value, 0)) else _json(value)


def _json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (RecursionError, ValueError, TypeError):
        return MASKED


def _told(have: Mapping[str, Any], events: Told) -> Iterator[Any]:
    yield have.get(_MESSAGES)
    for prefix in _FLAT:
        if any(key.startswith(prefix) for key in have):
            yield list(_unflattened(have, prefix))
    for name in _WHOLE:
        yield have.get(name)
    for name, inside in events:
        if name in EVENTS:
            yield from (inside.get(key) for key in (_MESSAGES, _COMPLETION, "message", "content"))


def _unflattened(have: Mapping[str, Any], prefix: str) -> Iterator[dict[str, Any]]:
    """`llm.output_messages.0.message.content` and its like, as messages in their order."""
    found: dict[int, dict[str, Any]] = {}
    texts: dict[int, dict[int, Any]] = {}
    for key in have:
        if not key.startswith(prefix):
            continue
        index, _, rest = key.removeprefix(prefix).partition(".")
        member, _, below = rest.removeprefix("message.").partition(".")
        if not _is_index(index):
            continue
        message = found.setdefault(int(index), {})
        part, _, kind = below.partition(".")
        if not below:
            message[member] = have[key]
        elif member == "contents" and _is_index(part) and kind.endswith("text"):
            texts.setdefault(int(index), {})[int(part)] = have[key]
        elif member == "tool_calls":
            message[member] = True
    for number, message in sorted(found.items()):
        parts = texts.get(number, {})
        yield {**message, "contents": [parts[n] for n in sorted(parts)]}


def _is_index(word: str) -> bool:
    return word.isdecimal() and len(word) < 6


def _text(value: Any, level: int) -> str | None:
    """The text in a message, its parts or a response; None where no place for one is known."""
    if isinstance(value, str):
        return value
    if level >= _LEVELS:
        return None
    if isinstance(value, (list, tuple)):
        found = filter(None, (_text(item, level + 1) for item in value))
        return ("" if _is_stream(value) else "\n").join(found) or None
    if not isinstance(value, Mapping) or _is_aside(value):
        return None
    for inside in _inside(value):
        found_inside = _text(inside, level + 1)
        if found_inside:
            return found_inside
    return None


def _inside(value: Mapping[str, Any]) -> Iterator[Any]:
    """What of a message or a response may hold its text, or calls of tools."""
    value = _plain(value)
    yield from (value[name] for name in _PLACES if isinstance(value.get(name), (str, list, dict)))
    for name, marks in _ENVELOPES.items():
        inside = value.get(name)
        if isinstance(inside, (list, dict)) and _has(inside, marks):
            yield inside
    if len(value) == 1 and isinstance(value.get("output"), str):
        yield value["output"]


def _has(inside: Any, marks: frozenset[str]) -> bool:
    while isinstance(inside, list) and inside:
        inside = inside[0]
    return isinstance(inside, Mapping) and not marks.isdisjoint(inside)


def _plain(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """The frame of OpenInference has names with dots: `message.content`."""
    if any(name.startswith(_DOTTED) for name in message):
        return {name.rpartition(".")[2]: inside for name, inside in message.items()}
    return message


def _is_aside(value: Any) -> bool:
    """Whether it is what others said, what a model thought, or what it called a tool with."""
    if not isinstance(value, Mapping):
        return False
    words = (value.get(f"{at}{name}") for at in ("", *_DOTTED) for name in ("type", "role"))
    return any(isinstance(word, str) and word in _ASIDE | _OTHERS for word in words)


def _is_stream(items: Sequence[Any]) -> bool:
    return any(
        isinstance(item, Mapping)
        and (
            any(name in item for name in _PIECES)
            or isinstance(dig(item, "choices.0.delta"), Mapping)
        )
        for item in items
    )


def _is_envelope(value: Any) -> bool:
    """Whether JSON in a text is a message or a response, not an answer that is itself JSON."""
    if isinstance(value, list):
        return any(_is_envelope(item) or _is_part(item) for item in value[:20])
    if not isinstance(value, Mapping):
        return False
    names = set(_plain(value))
    if "role" in names and not names.isdisjoint({"content", "contents", "parts", "tool_calls"}):
        return True
    return any(_has(value.get(name), marks) for name, marks in _ENVELOPES.items() if name != "data")


def _is_part(item: Any) -> bool:
    if not isinstance(item, Mapping):
        return False
    return (
        item.keys() <= {"text", "type"}
        or "toolCallId" in item
        or text(item.get("type")) in _CALL_TYPES | _ASIDE
    )


def _calls(value: Any, level: int) -> Iterator[bool]:
    """Whether tools are called, in the places that answers have for it."""
    if level >= _LEVELS:
        return
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _calls(item, level + 1)
    elif isinstance(value, Mapping):
        is_call = text(value.get("type")) in _CALL_TYPES
        yield is_call or any(_plain(value).get(name) for name in _CALLS)
        for inside in (*_inside(value), value.get("additional_kwargs")):
            yield from _calls(inside, level + 1)
