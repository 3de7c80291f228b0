"""The envelope of events: CloudEvents 1.0 in its JSON format. See docs/contracts.md for what is checked of it."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache

from cli_multi_rapid.contracts.schema_tree import escaped
from cli_multi_rapid.model.contract import Violation
from cli_multi_rapid.model.events import Event

TYPE_PREFIX = "cli-multi-rapid."
"""What the types of the program's own events begin with."""

SOURCE_PREFIX = "urn:cli-multi-rapid:run:"
REQUIRED = ("specversion", "id", "source", "type")
_NAME = re.compile(r"[a-z0-9]+")
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105  a word of the grammar of media types
_MEDIA_TYPE = re.compile(rf'{_TOKEN}/(?P<subtype>{_TOKEN})([ \t]*;[ \t]*{_TOKEN}=({_TOKEN}|"([^"\\]|\\.)*"))*[ \t]*')
_BASE64 = re.compile(r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_INT32 = range(-(2**31), 2**31)


def wrapped(event: Event, contract: str) -> dict[str, object]:
    """Return a recorded event in its envelope; `contract` is the `$id` that its data keeps to.

    The extension attributes `attempt`, `hash` and `prevhash` have what else was recorded.
    """
    made: dict[str, object] = {
        "specversion": "1.0", "id": str(event.seq), "source": f"{SOURCE_PREFIX}{event.run}",
        "type": f"{TYPE_PREFIX}{event.kind.value}", "time": event.at, "subject": event.step,
        "datacontenttype": "application/json", "dataschema": contract, "attempt": event.attempt, "hash": event.hash,
        "prevhash": event.prev, "data": event.payload,
    }  # fmt: skip
    return {name: value for name, value in made.items() if value != ""}


def violations(event: object) -> list[Violation]:
    """Return everything that keeps a JSON value from being a CloudEvent, each with its JSON pointer."""
    if not isinstance(event, dict):
        return [Violation(place="", reason="an event is a JSON object")]
    found = [
        Violation(place="", reason=f"the attribute {name} is missing") for name in REQUIRED if event.get(name) is None
    ]
    for name, value in event.items():
        if name not in ("data", "data_base64") and (reason := _attribute(name, value)):
            found.append(Violation(place=f"/{escaped(name)}", reason=reason))
    return [*found, *_data(event)]


def is_json(event: Mapping[str, object]) -> bool:
    """Tell whether the data of an event is said to be JSON, which it is where nothing is said."""
    given = event.get("datacontenttype")
    if not isinstance(given, str):
        return True
    media = _MEDIA_TYPE.fullmatch(given)
    subtype = media["subtype"].lower() if media else ""
    return subtype == "json" or subtype.endswith("+json")


def _attribute(name: str, value: object) -> str:
    """Return what is wrong with an attribute; null is as if it were not there."""
    if not _NAME.fullmatch(name):
        return "the name of an attribute has small letters (a to z) and digits only"
    if value is None:
        return ""
    if name in _RULES and not isinstance(value, str):
        return "this attribute is text"
    if isinstance(value, bool):
        return ""
    if isinstance(value, int):
        return "" if value in _INT32 else "a whole number has 32 bits"
    if not isinstance(value, str):
        return "an attribute is text, a whole number without point or exponent, or true or false"
    if any(map(_is_barred, value)):
        return "control characters, half surrogates and noncharacters are not allowed in an attribute"
    return _RULES[name](value) if name in _RULES else ""


def _is_barred(char: str) -> bool:
    code = ord(char)
    control = code <= 0x1F or 0x7F <= code <= 0x9F
    return control or 0xD800 <= code <= 0xDFFF or 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE


def _data(event: Mapping[str, object]) -> Iterator[Violation]:
    if "data" in event and event.get("data_base64") is not None:
        yield Violation(place="/data_base64", reason="data and data_base64 exclude each other")
    packed = event.get("data_base64")
    if packed is not None and not (isinstance(packed, str) and _BASE64.fullmatch(packed)):
        yield Violation(place="/data_base64", reason="this is not base64 as RFC 4648 has it")
    if "data" in event and not is_json(event) and not isinstance(event["data"], str):
        yield Violation(place="/data", reason="data is text where datacontenttype says that it is not JSON")


def _filled(text: str) -> str:
    return "" if text else "this attribute is not empty"


def _version(text: str) -> str:
    return "" if text == "1.0" else "the version of CloudEvents is 1.0"


def _reference(text: str) -> str:
    return _filled(text) or ("" if _is("uri-reference", text) else "this is no URI or relative reference (RFC 3986)")


def _uri(text: str) -> str:
    fits = "#" not in text and _is("uri", text)
    return _filled(text) or ("" if fits else "this is no absolute URI without a fragment (RFC 3986)")


def _time(text: str) -> str:
    return "" if _is("date-time", text) else "this is no date and time with an offset from UTC (RFC 3339)"


def _media_type(text: str) -> str:
    return "" if _MEDIA_TYPE.fullmatch(text) else "this is no media type (RFC 2046)"


_RULES: Mapping[str, Callable[[str], str]] = {
    "specversion": _version, "id": _filled, "source": _reference, "type": _filled, "subject": _filled,
    "dataschema": _uri, "time": _time, "datacontenttype": _media_type,
}  # fmt: skip


def _is(form: str, text: str) -> bool:
    return _formats()[form](text)


@cache
def _formats() -> Mapping[str, Callable[[str], bool]]:
    from jsonschema_rs import Draft202012Validator

    return {
        form: Draft202012Validator({"format": form}, validate_formats=True, ignore_unknown_formats=False).is_valid
        for form in ("uri", "uri-reference", "date-time")
    }
