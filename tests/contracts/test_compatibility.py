"""Editions of a contract, and documents that prove a verdict wrong."""

import pytest
from contract_pairs import closed, of

from cli_multi_rapid.contracts import compatibility
from cli_multi_rapid.contracts.compatibility import Edition, clashes, counter_example, difference, equal
from cli_multi_rapid.model.contract import Mode

SHORT, LONG = of({"type": "string", "maxLength": 4}), of({"type": "string", "maxLength": 5})
OPEN = {"type": "object", "properties": {"x": {"type": "integer"}}}


@pytest.fixture
def edition(one):
    def made(schema, *examples):
        found = one(schema)
        assert not found.problems
        return Edition(found=found, contract=found.contracts[0], examples=examples)

    return made


@pytest.mark.parametrize(
    ("mode", "before", "now", "ways"),
    [
        (Mode.BACKWARD, SHORT, LONG, []), (Mode.BACKWARD, LONG, SHORT, [Mode.BACKWARD]),
        (Mode.FORWARD, SHORT, LONG, [Mode.FORWARD]), (Mode.FORWARD, LONG, SHORT, []),
        (Mode.FULL, SHORT, LONG, [Mode.FORWARD]), (Mode.FULL, LONG, SHORT, [Mode.BACKWARD]),
        (Mode.FULL, SHORT, {**SHORT, "title": "t"}, []),
    ],
)  # fmt: skip
def test_modes(edition, mode, before, now, ways):
    found = clashes(edition(before), edition(now), mode)
    assert [one.mode for one in found] == ways
    assert all(one.pointer.endswith("#/properties/x/maxLength") for one in found)


def test_documents_overrule_the_rules(edition, monkeypatch):
    monkeypatch.setattr(compatibility.Inclusion, "breaks", lambda *_: ())
    (found,) = clashes(edition(LONG), edition(SHORT), Mode.BACKWARD)
    assert "this document proves it: {" in found.reason
    assert "is refused at /x" in found.reason
    assert not clashes(edition(SHORT), edition(LONG), Mode.BACKWARD)


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "string", "maxLength": 4}, {"type": "string", "minLength": 1}, {"type": "string", "pattern": "a"},
        {"type": "string", "format": "date"}, {"type": "integer", "minimum": 0, "maximum": 2}, {"const": "a"},
    ],
)  # fmt: skip
def test_documents_find_what_is_tightened(edition, changed):
    assert counter_example(edition(of({"type": "string", "maxLength": 5})), edition(of(changed)))


def test_a_contract_outside_of_the_profile_is_tried_with_its_examples(edition, monkeypatch):
    monkeypatch.setattr(compatibility.Inclusion, "breaks", lambda *_: ())
    now = edition({**OPEN, "not": {"required": ["y"]}})
    assert not clashes(edition(OPEN, b'{"x": 1}', b"no json", b'{"x": "invalid"}'), now, Mode.BACKWARD)
    (found,) = clashes(edition(OPEN, b'{"x": 1}', b'{"y": 1}'), now, Mode.BACKWARD)
    assert '{"y": 1} is refused' in found.reason


def test_what_has_no_document(edition):
    nothing = closed(("x",), x={"type": "string", "minLength": 2, "maxLength": 1})
    assert not counter_example(edition(nothing), edition(SHORT))


def test_equal_and_different(edition):
    assert equal(edition(SHORT), edition(dict(reversed(SHORT.items()))))
    assert not equal(edition(SHORT), edition({**SHORT, "title": "t"}))
    assert not difference(edition(SHORT), edition({**SHORT, "title": "t"}))
    assert difference(edition(SHORT), edition(LONG)).endswith("#/properties/x/maxLength")
