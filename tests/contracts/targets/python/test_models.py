"""Pydantic modules: what the schema accepts comes back equal, everything else is refused with its place."""

import copy
import json
import subprocess
import sys

import pydantic
import pytest

from cli_multi_rapid.contracts.emitting import Refused
from cli_multi_rapid.contracts.targets.python import models
from cli_multi_rapid.contracts.targets.python.accepted import Asked, NotAccepted, accepted_classes

INT = {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}
TEXT = {"type": "string"}
ODD = (
    "class", "None", "__init__", "__class__", "_x", "model_config", "model_dump", "a-b", "a_b", "a.b", "A.a",
    "schema", "json",
    "copy", "parse", "to_json", "to_json_", "", "self", "str", "list", "int", "dict", "Field", "MISSING", "Literal",
    "A", "Config",
    "root", "1", "é", "\u2028", "\"'\n\\", "Any", "BaseModel", "AError", "fields", "validate", "x y", "{{x}}", "#",
)  # fmt: skip


def closed(required=(), **properties):
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def accepted(module, text):
    """Read a document and write it again; compare."""
    written = json.loads(module.parse(text).to_json())
    assert written == json.loads(text)
    return written


def refused(module, text):
    with pytest.raises(module.AError) as raised:
        module.parse(text)
    assert isinstance(raised.value, ValueError)
    return raised.value


@pytest.mark.parametrize("number", [-(2**63), 2**63 - 1, 2**53 + 1, 0])
def test_whole_numbers_are_exact(imported, number):
    module = imported(closed(("n",), n=INT))
    assert module.parse(f'{{"n": {number}}}').n == number
    accepted(module, f'{{"n": {number}}}')


@pytest.mark.parametrize(("text", "number"), [("1.0", 1), ("1e2", 100), ("-0.0", 0), ("9007199254740992.0", 2**53)])
def test_whole_numbers_may_be_written_as_fractions(imported, text, number):
    made = imported(closed(n=INT)).parse(f'{{"n": {text}}}')
    assert type(made.n) is int
    assert made.n == number


@pytest.mark.parametrize(
    "text", ["1.5", "9223372036854775808", "1" + "0" * 30, "true", '"1"', "null", "-9223372036854775809"]
)
def test_what_is_no_such_number(imported, text):
    assert refused(imported(closed(n=INT)), f'{{"n": {text}}}').pointer == "/n"


@pytest.mark.parametrize("text", ["0.07", "1e308", "5e-324", "-1.5", "3", "1e22", "2.0"])
def test_numbers_keep_their_value(imported, text):
    module = imported(closed(n={"type": "number"}))
    accepted(module, f'{{"n": {text}}}')
    assert type(module.parse(f'{{"n": {text}}}').n) is float


def test_bounds_that_no_type_has_are_left_to_the_schema(imported):
    far = {"minimum": -1e308, "maximum": 1e308}
    long = {"maxLength": 10**30, "maxItems": 10**30}
    module = imported(
        closed(
            n={"type": "number", **far}, t={**TEXT, **long}, a={"type": "array", **long}, i={"type": "integer", **far}
        )
    )
    accepted(module, '{"n": 1e307, "t": "x", "a": [1], "i": 3}')
    assert refused(module, '{"n": 1.5e308}').pointer == "/n"


def test_missing_and_null_are_told_apart(imported):
    module = imported(
        closed(("must",), must={"type": ["string", "null"]}, may={"type": ["integer", "null"]}, text=TEXT)
    )
    for text in ('{"must": null}', '{"must": null, "may": null}', '{"must": "", "may": 1, "text": ""}'):
        accepted(module, text)
    assert module.parse('{"must": null}').may is pydantic.MISSING
    assert module.parse('{"must": null, "may": null}').may is None
    assert refused(module, "{}").pointer == ""
    assert refused(module, '{"must": null, "text": null}').pointer == "/text"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"n": 1, "n": 1}', "'n' stands twice"), ('{"n": NaN}', "NaN"), ('{"n": -Infinity}', "-Infinity"),
        ('{"n": 1e999}', "too large"), ('{"t": "\\ud800"}', "surrogate"), ('{"\\udc00": 1}', "surrogate"),
        ('{"n": 01}', "not JSON"), ("{} {}", "not JSON"), ("\ufeff{}", "not JSON"), ("", "not JSON"),
        ('{"n": ' + "9" * 5000 + "}", "not JSON"), (b'{"t": "\xff"}', "UTF-8"), (b"\xed\xa0\x80", "UTF-8"),
        ("[" * 101 + "]" * 101, "100 levels"), ("[" * 200_000, "100 levels"), ('{"x": 1}', "x"), ("null", "null"),
    ],
)  # fmt: skip
def test_what_is_no_document(imported, text, said):
    assert said in refused(imported(closed(n={"type": "number"}, t=TEXT)), text).reason


def test_everything_of_the_schema_counts_though_types_cannot_say_it(imported):
    module = imported({
        **closed(
            price={"type": "string", "pattern": "^[0-9]+[.][0-9]{2}$"}, at={"type": "string", "format": "date-time"},
            tags={"type": "array", "items": TEXT, "uniqueItems": True, "minItems": 1}, odd={"not": {"const": 3}},
            step={"type": "number", "multipleOf": 0.01},
            map={"patternProperties": {"^a": INT}, "additionalProperties": False},
        ),
        "if": {"required": ["price"]}, "then": {"required": ["at"]},
    })  # fmt: skip
    for good in ({}, {"price": "1.00", "at": "2026-11-22T09:00:00.123456789Z"}, {"step": 0.07}, {"map": {"a": 1}},
                 {"at": "2026-11-22T09:00:00+00:00"}, {"tags": ["a", "b"]}):  # fmt: skip
        accepted(module, json.dumps(good))
    for pointer, bad in {
        "/price": {"price": "1", "at": "2026-11-22T09:00:00Z"}, "/at": {"at": "yesterday"}, "/tags": {"tags": ["a",
        "a"]},
        "/odd": {"odd": 3}, "/step": {"step": 0.075}, "/map": {"map": {"b": 1}}, "": {"price": "1.00"},
        "/map/a": {"map": {"a": "x"}},
    }.items():  # fmt: skip
        assert refused(module, json.dumps(bad)).pointer == pointer


def test_awkward_names_are_attributes_and_keep_their_keys(imported):
    module = imported(closed(ODD, **dict.fromkeys(ODD, TEXT)))
    document = {key: f"of {key}" for key in ODD}
    made = module.parse(json.dumps(document))
    assert json.loads(made.to_json()) == document
    fields = module.A.model_fields
    assert len(fields) == len(ODD)
    assert {name: getattr(made, name) for name in fields} == {
        name: f"of {name if field.alias is None else field.alias}" for name, field in fields.items()
    }
    assert made.class_ == "of class"
    again = module.A(**dict.fromkeys(fields, "x"))
    assert set(json.loads(again.to_json())) == set(ODD)
    assert "model_config" in module.A.__dict__


def test_names_that_models_have_are_no_attributes():
    public = {name for name in dir(pydantic.BaseModel) if not name.startswith(("_", "model_"))}
    assert public <= models.RESERVED


def test_names_of_attributes_are_no_keys(imported):
    module = imported({"type": "object", "properties": {"class": TEXT}})
    document = '{"class_": 1, "class": "x"}'
    assert accepted(module, document) == {"class_": 1, "class": "x"}


def test_open_objects_keep_what_they_are_given_and_maps_are_maps(imported):
    module = imported(
        {"type": "object", "properties": {"m": {"type": "object", "additionalProperties": INT}, "any": {}}}
    )
    made = module.parse('{"m": {"": 1.0}, "more": [1.5, {"x": null}], "any": 1e308}')
    assert made.m == {"": 1}
    accepted(module, '{"m": {"": 1}, "more": [1.5, {"x": null}], "any": 1e308}')


def test_references_to_other_files_and_to_itself(imported):
    module = imported(
        closed(first={"$ref": "parts/leg.json#/$defs/Leg"}, next={"$ref": "#"}, trees={"$ref": "#/$defs/t"})
        | {"$defs": {"t": {"type": "array", "items": {"$ref": "#/$defs/t"}}}},
        **{"parts/leg": {"$defs": {"Leg": closed(("size",), size=INT)}}},
    )  # fmt: skip
    made = module.parse('{"first": {"size": 2.0}, "next": {"next": {}}, "trees": [[], [[]]]}')
    assert isinstance(made.first, module.Leg)
    assert isinstance(made.next.next, module.A)
    accepted(module, '{"first": {"size": 2}, "next": {"next": {}}, "trees": [[], [[]]]}')
    assert refused(module, '{"next": {"next": {"first": {}}}}').pointer == "/next/next/first"


def test_a_union_is_read_by_its_tag(imported):
    module = imported({
        "oneOf": [{"$ref": "#/$defs/Buy"}, {"$ref": "#/$defs/Sell"}],
        "$defs": {"Buy": closed(("k",), k={"const": "buy"}, n=INT), "Sell": closed(("k",), k={"const": "sell"},
        n=TEXT)},
    })  # fmt: skip
    assert isinstance(module.parse('{"k": "sell", "n": "x"}').root, module.Sell)
    accepted(module, '{"k": "buy", "n": 1}')
    assert refused(module, '{"k": "hold"}').pointer == ""


def test_objects_made_by_hand_are_validated_when_they_are_written(imported):
    module = imported(closed(("t",), t={"type": "string", "pattern": "^a$"}, n={**INT, "minimum": 0}, any={}))
    assert module.A(t="a").to_json() == '{"t":"a"}'
    with pytest.raises(pydantic.ValidationError):
        module.A(t="a", n=-1)
    with pytest.raises(pydantic.ValidationError):
        module.A(t="a", n="1")
    with pytest.raises(module.AError) as raised:
        module.A(t="b").to_json()
    assert raised.value.pointer == "/t"
    for value in ({1}, "\ud800", float("nan"), {"x": float("inf")}, b"x", {1: 2}):
        with pytest.raises(module.AError) as raised:
            module.A(t="a", any=value).to_json()
        assert raised.value.pointer.startswith("/any")
    assert str(copy.copy(raised.value)) == "/any: dict is no value of JSON"


HOSTILE = {
    "customTypePath": "os.system", "customBasePath": "os.PathLike", "x-python-type": "__import__('os').system('false')",
    "x-python-import": {"module": "os", "name": "system"}, "title": "X(object):\n    import os\nclass Y",
    "$comment": '"""', "description": '"""\nimport os\n"""', "default": {"__import__": "os"}, "nullable": True,
    "x-enum-varnames": ["import os", "b"], "format": "date-time", "examples": ["\n"], "deprecated": True,
    "discriminator": {"propertyName": "k", "mapping": {"a": "os.py"}}, "contentEncoding": "base64", "readOnly": True,
    "x-propertyNames": ["x"], "typeOverrides": {"a": "b"},
}  # fmt: skip


def test_only_the_keywords_that_say_what_is_valid_matter(imported):
    plain = closed(("a",), a=TEXT, b={"enum": ["x", "y"]}, c=closed(k=INT))
    hostile = closed(
        ("a",), a={**TEXT, **HOSTILE}, b={"enum": ["x", "y"], **HOSTILE}, c={**closed(k={**INT, **HOSTILE}), **HOSTILE}
    )
    module = imported({**hostile, **HOSTILE})

    def code(text):
        return text.partition("_DOCUMENTS = (")[0].partition("from __future__")[2].replace(DOCSTRING, "")

    assert code(module.text) == code(imported(plain).text)
    accepted(module, '{"a": "2026-01-01T00:00:00Z"}')


DOCSTRING = '    """\\"\\"\\" import os \\"\\"\\""""\n\n'


def test_texts_in_odd_places_stay_texts(imported):
    odd = 'x\'); import os  # """\n\\'
    module = imported(closed(**{odd: {"enum": [odd, f"{odd}'"]}, "c": {"const": odd}}) | {"description": odd})
    accepted(module, json.dumps({odd: odd, "c": odd}))
    assert refused(module, json.dumps({odd: "x"})).pointer == f"/{odd}"


@pytest.mark.parametrize(
    "name", ["None", "True", "Field", "BaseModel", "Any", "ValidationError", "Draft202012Validator"]
)
def test_contracts_named_as_words_of_the_module(imported, name):
    module = imported(closed(a=INT, b=closed(c=INT)), name=name)
    assert isinstance(module.parse('{"a": 1, "b": {"c": 1}}'), getattr(module, f"{name}2"))


def test_a_module_is_whole_in_itself_and_compiles_without_a_warning(imported, tmp_path):
    module = imported(closed(a=INT, **{"\\d": TEXT}) | {"description": "\\d"})
    subprocess.run((sys.executable, "-W", "error", "-m", "py_compile", module.__file__), check=True)
    code = "import a_v1_0, sys; print(a_v1_0.parse('{}').to_json(), *sys.modules)"
    done = subprocess.run((sys.executable, "-W", "error", "-c", code), cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.startswith("{} "), done.stderr
    assert not {"cli_multi_rapid", "datamodel_code_generator"} & set(done.stdout.split())
    assert str(tmp_path) not in module.text


BAD = {
    "another class": "class A(BaseModel):\n    a: StrictStr\nclass B(BaseModel):\n    pass",
    "no such field": "class A(BaseModel):\n    b: StrictStr",
    "another key": "class A(BaseModel):\n    a: Annotated[StrictStr, Field(alias='b')]",
    "a statement": "import os\nclass A(BaseModel):\n    a: StrictStr",
    "a foreign module": "from os import Field\nclass A(BaseModel):\n    a: StrictStr",
    "a method": "class A(BaseModel):\n    a: StrictStr\n    def f(self): pass",
    "a value": "class A(BaseModel):\n    a: StrictStr = 'x'",
    "a call": "class A(BaseModel):\n    a: Annotated[StrictStr, print('x')]",
    "a factory": "class A(BaseModel):\n    a: Annotated[StrictStr, Field(default_factory=object)]",
    "a setting": "class A(BaseModel):\n    model_config = ConfigDict(extra=print('x'))\n    a: StrictStr",
    "a base": "class A(dict):\n    a: StrictStr",
    "a decorator": "@print\nclass A(BaseModel):\n    a: StrictStr",
    "a call behind": "class A(BaseModel):\n    a: StrictStr\nA.run()",
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_code_that_was_not_asked_for_is_not_taken(what):
    asked = Asked(root="A", schema={}, fields={"A": {"a": "a"}})
    accepted_classes("class A(BaseModel):\n    a: StrictStr", asked)
    with pytest.raises(NotAccepted):
        accepted_classes(BAD[what], asked)


def test_what_the_generator_makes_otherwise_is_refused_with_the_contract(imported, monkeypatch):
    monkeypatch.setattr(models, "generated", lambda asked: "class A(BaseModel):\n    pass")
    with pytest.raises(Refused, match=r"A@1\.0\.json#: datamodel-code-generator: A has the fields"):
        imported(closed(a=INT))


def test_nothing_of_the_folder_we_are_in_matters(imported, tmp_path, monkeypatch):
    schema = closed(one={"enum": [f"word{number}" for number in range(12)]}, **{"class": INT})
    elsewhere = imported(schema).text
    folder = tmp_path / "project" / "sub"
    folder.mkdir(parents=True)
    hostile = (
        "[tool.black]\nline-length = 40\nskip-string-normalization = true\n[tool.datamodel-codegen]\nclass-name = 'X'\n"
    )
    (tmp_path / "project" / "pyproject.toml").write_text(hostile)
    (folder / "datamodel-codegen.lock").write_text("not a lock")
    monkeypatch.chdir(folder)
    assert imported(schema).text == elsewhere
    (folder / "pyproject.toml").write_text("[tool.black")
    assert imported(schema).text == elsewhere
