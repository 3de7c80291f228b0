"""The rules of CloudEvents 1.0 in its JSON format, and the envelope that the program itself writes."""

import pytest

from cli_multi_rapid.contracts.envelope import is_json, violations, wrapped
from cli_multi_rapid.model.events import Event, Kind

LEAST = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "org.example.sold"}


def said(**attributes):
    event = {**LEAST, **attributes}
    return [
        (one.place, one.reason) for one in violations({name: value for name, value in event.items() if value != ...})
    ]


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"time": "2026-11-26T03:00:00.123Z"},
        {"time": "2026-11-26T04:00:00+01:00"},
        {"time": None, "subject": None, "more": None},
        {"source": "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66"},
        {"source": "mailto:desk@example.org"},
        {"source": "1-555-123-4567"},
        {"source": "https://example.org/a%20b?c=d#e"},
        {"dataschema": "urn:cmr:contract:Sold:1.0", "data": {}},
        {"subject": "Grüße \U0001f600"},
        {"flag": True, "number": -(2**31), "other": 2**31 - 1, "text": "", "x" * 40: "y"},
        {"data": None},
        {"data": "text", "datacontenttype": "application/json"},
        {"data": [1], "datacontenttype": "application/vnd.shop+json; charset=utf-8"},
        {"data": "<a/>", "datacontenttype": "text/xml"},
        {"datacontenttype": 'text/plain; title="a \\" b"'},
        {"data_base64": "AA==", "datacontenttype": "image/png"},
        {"data_base64": ""},
        {"data": {}, "data_base64": None},
    ],
)
def test_valid(attributes):
    assert said(**attributes) == []


EMPTY = "this attribute is not empty"
TEXT = "this attribute is text"
NAME = "the name of an attribute has small letters (a to z) and digits only"
CHARACTERS = "control characters, half surrogates and noncharacters are not allowed in an attribute"
OTHER = "an attribute is text, a whole number without point or exponent, or true or false"
TIME = "this is no date and time with an offset from UTC (RFC 3339)"
REFERENCE = "this is no URI or relative reference (RFC 3986)"
URI = "this is no absolute URI without a fragment (RFC 3986)"
MEDIA = "this is no media type (RFC 2046)"
TEXT_DATA = "data is text where datacontenttype says that it is not JSON"
BASE64 = "this is not base64 as RFC 4648 has it"


@pytest.mark.parametrize(
    ("attributes", "place", "reason"),
    [
        ({"id": ...}, "", "the attribute id is missing"),
        ({"source": None}, "", "the attribute source is missing"),
        ({"type": ...}, "", "the attribute type is missing"),
        ({"specversion": ...}, "", "the attribute specversion is missing"),
        ({"specversion": "0.3"}, "/specversion", "the version of CloudEvents is 1.0"),
        ({"specversion": 1.0}, "/specversion", TEXT),
        ({"id": ""}, "/id", EMPTY),
        ({"id": 7}, "/id", TEXT),
        ({"type": ""}, "/type", EMPTY),
        ({"type": True}, "/type", TEXT),
        ({"source": ""}, "/source", EMPTY),
        ({"source": "a b"}, "/source", REFERENCE),
        ({"source": "%zz"}, "/source", REFERENCE),
        ({"source": "http://[::1"}, "/source", REFERENCE),
        ({"subject": ""}, "/subject", EMPTY),
        ({"dataschema": ""}, "/dataschema", EMPTY),
        ({"dataschema": "/schemas/sold"}, "/dataschema", URI),
        ({"dataschema": "https://example.org/sold#x"}, "/dataschema", URI),
        ({"time": "2026-11-26"}, "/time", TIME),
        ({"time": "2026-11-26T03:00:00"}, "/time", TIME),
        ({"time": "2026-02-30T03:00:00Z"}, "/time", TIME),
        ({"time": 1732590000}, "/time", TEXT),
        ({"time": ""}, "/time", TIME),
        ({"datacontenttype": "json"}, "/datacontenttype", MEDIA),
        ({"datacontenttype": "text/plain; charset"}, "/datacontenttype", MEDIA),
        ({"datacontenttype": ""}, "/datacontenttype", MEDIA),
        ({"Subject": "x"}, "/Subject", NAME),
        ({"my_name": "x"}, "/my_name", NAME),
        ({"a/b~c": None}, "/a~1b~0c", NAME),
        ({"": "x"}, "/", NAME),
        ({"size": 2**31}, "/size", "a whole number has 32 bits"),
        ({"size": 1.0}, "/size", OTHER),
        ({"size": [1]}, "/size", OTHER),
        ({"size": {}}, "/size", OTHER),
        ({"note": "a\nb"}, "/note", CHARACTERS),
        ({"note": "\x7f"}, "/note", CHARACTERS),
        ({"note": "\x9f"}, "/note", CHARACTERS),
        ({"note": "\ufffe"}, "/note", CHARACTERS),
        ({"note": "\ufdd0"}, "/note", CHARACTERS),
        ({"note": "\U0010ffff"}, "/note", CHARACTERS),
        ({"note": "\udcff"}, "/note", CHARACTERS),
        ({"data": 1, "data_base64": "AA=="}, "/data_base64", "data and data_base64 exclude each other"),
        ({"data_base64": "AA="}, "/data_base64", BASE64),
        ({"data_base64": "A-_="}, "/data_base64", BASE64),
        ({"data_base64": "AA==\n"}, "/data_base64", BASE64),
        ({"data_base64": 7}, "/data_base64", BASE64),
        ({"data": {}, "datacontenttype": "text/xml"}, "/data", TEXT_DATA),
    ],
)  # fmt: skip
def test_invalid(attributes, place, reason):
    assert said(**attributes) == [(place, reason)]


@pytest.mark.parametrize("event", [None, [], "event", 7, [LEAST]])
def test_what_is_no_object_is_no_event(event):
    assert [one.reason for one in violations(event)] == ["an event is a JSON object"]


def test_everything_that_is_wrong_is_said():
    assert [one.place for one in violations({"id": "", "data_base64": "x"})] == ["", "", "", "/id", "/data_base64"]


@pytest.mark.parametrize(
    ("given", "json"),
    [(None, True), ("application/JSON", True), ("a/b+json;x=y", True), ("text/plain", False), ("jsonx/xjson", False)],
)
def test_which_data_is_json(given, json):
    assert is_json({"datacontenttype": given}) is json


def event(**more):
    made = {
        "run": "01M8", "seq": 3, "step": "p/a", "attempt": 2, "kind": Kind.STEP_STARTED, "payload": {"command": "make"},
        "at": "2026-11-26T03:00:00.123+00:00", "prev": "a" * 64, "hash": "b" * 64,
    }  # fmt: skip
    return Event(**{**made, **more})


def test_our_own_envelope_has_all_that_was_recorded():
    made = wrapped(event(), "urn:cmr:contract:StepStarted:1.0")
    assert violations(made) == []
    assert made == {
        "specversion": "1.0", "id": "3", "source": "urn:cli-multi-rapid:run:01M8", "subject": "p/a",
        "type": "cli-multi-rapid.step.started", "time": "2026-11-26T03:00:00.123+00:00",
        "datacontenttype": "application/json", "dataschema": "urn:cmr:contract:StepStarted:1.0",
        "attempt": 2, "hash": "b" * 64, "prevhash": "a" * 64, "data": {"command": "make"},
    }  # fmt: skip


def test_what_is_empty_is_left_out():
    made = wrapped(event(step="", prev="", seq=1, attempt=0), "urn:cmr:contract:StepStarted:1.0")
    assert violations(made) == []
    assert not {"subject", "prevhash"} & set(made)
    assert made["attempt"] == 0
