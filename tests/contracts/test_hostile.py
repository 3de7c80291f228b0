"""Contracts that were made to do harm: an answer with a documented exit code, and nothing is fetched."""

import json
import os
import resource
import socket
import subprocess
import sys

import pytest
from contract_pairs import INT, closed

from cli_multi_rapid.contracts import compatibility
from cli_multi_rapid.model.contract import ModelTarget

FOLDER = "contracts/events"
COMMANDS = (
    ("validate-contracts",), ("validate-contracts", "--lint"),
    *(("generate-models", "--target", target.value) for target in (ModelTarget.PYTHON, ModelTarget.TYPESCRIPT)),
)  # fmt: skip


def contract(version="1.0", **keywords):
    return {"$id": f"urn:cmr:contract:A:{version}", **keywords}


def linked(make, *, last=None, count=60):
    """A chain of definitions, each of which refers to the next one twice: 2**60 ways through it."""
    made = {f"d{n}": make({"$ref": f"#/$defs/d{n + 1}"}, n) for n in range(count)}
    return contract(**{"$ref": "#/$defs/d0", "$defs": {**made, f"d{count}": last or closed(x=INT)}})


def tagged(inner, n):
    branches = [{**closed(t={"const": name}, x=inner), "required": ["t"]} for name in "ab"]
    return {"oneOf": branches}


def listed(inner, *, size=10, depth=1):
    for _ in range(depth):
        inner = {"type": "array", "items": inner, "minItems": size, "maxItems": size}
    return inner


def number(text, kind="integer"):
    """A contract with a number that the writer of JSON would not write."""
    whole = json.dumps(contract(**closed(x={"type": kind, "minimum": 0, "maximum": "HERE"})))
    return whole.replace('"HERE"', text)


def of(schema, **more):
    return contract(**{**closed(x=schema), **more})


def text(**keywords):
    return of({"type": "string", **keywords})


# What is refused: the code of the error, a part of what is said.
REFUSED = {
    "a file by its URI": (of({"$ref": "file:///etc/passwd"}), "CONTRACT-REF", "nothing is fetched"),
    "a folder": (of({"$ref": "examples"}), "CONTRACT-FILE", "not a regular file"),
    "the folder itself": (of({"$ref": "."}), "CONTRACT-FILE", "regular file"),
    "a device behind a link": (of({"$ref": "zero"}), "CONTRACT-FILE", "symbolic link"),
    "a file behind a folder that is a link": (of({"$ref": "away/x.json"}), "CONTRACT-FILE", "symbolic link"),
    "a name with NUL": (of({"$ref": "a%00b"}), "CONTRACT-FILE", "NUL"),
    "a very long name": (of({"$ref": "a" * 300_000}), "CONTRACT-REF", "too long"),
    "a pattern that repeats repeats": (text(pattern="^((((a{0,99}){0,99}){0,99}){0,99})$"), "CONTRACT-SCHEMA", "regex"),
    "a very deep pattern": (text(pattern="(" * 20_000 + ")" * 20_000), "CONTRACT-SCHEMA", "pattern"),
    "3,000 levels": ('{"a":' * 3000 + "1" + "}" * 3000, "CONTRACT-JSON", "levels deep"),
    "100,000 brackets": ("[" * 100_000, "CONTRACT-JSON", "levels deep"),
    "10 MiB": (text(description="x" * (10 << 20)), "CONTRACT-FILE", "larger than"),
    "a chain that is too long": (linked(lambda inner, _: inner, count=205), "CONTRACT-REF", "levels deep"),
    "allOf that fans out": (linked(lambda inner, _: {"allOf": [inner, inner]}), "CONTRACT-REF", "judge one value"),
    "anyOf that fans out": (
        linked(lambda inner, n: {"anyOf": [inner, {**inner, "maxProperties": n}]}), "CONTRACT-REF", "judge one value",
    ),
    "an integer of 10,000 digits": (number("9" * 10_000), "CONTRACT-JSON", "too large"),
    "an integer of 4,000 digits": (number("9" * 4000), "CONTRACT-JSON", "too large"),
    "1e999999": (number("1e999999", "number"), "CONTRACT-JSON", "too large"),
    "a length of 1.5": (text(maxLength=1.5), "CONTRACT-SCHEMA", "maxLength"),
    "keywords of other types": (contract(properties=[], required={}, enum={}, oneOf={}), "CONTRACT-SCHEMA", ""),
    "a reference that is none": (of({"$ref": {}}), "CONTRACT-REF", "a reference is text"),
    "another one of its `$id`": (of({"$id": "urn:cmr:contract:A:1.0"}), "CONTRACT-ID", "no `$id` of its own"),
    "a `$schema` that is elsewhere": (contract(**{"$schema": "http://127.0.0.1:9/"}), "CONTRACT-SCHEMA", "2020-12"),
    "a `$schema` that is none": (contract(**{"$schema": [{}]}), "CONTRACT-SCHEMA", "2020-12"),
    "no object": ("[]", "CONTRACT-SCHEMA", "object"),
    "a byte order mark": ("\ufeff{}", "CONTRACT-JSON", ""),
    "itself": (contract(allOf=[{"$ref": "#"}]), "CYCLE", "lead back"),
    "not itself": (contract(**{"not": {"$ref": "#"}}), "CYCLE", "lead back"),
    "itself, dynamically": (contract(**{"$dynamicAnchor": "a", "anyOf": [{"$dynamicRef": "#a"}]}), "CYCLE", "lead"),
    "itself, by an old keyword": (contract(dependencies={"a": {"$ref": "#"}}), "CYCLE", "lead back"),
}  # fmt: skip

# What is a schema, whatever it may cost others.
ACCEPTED = {
    "a pattern that is slow elsewhere": text(pattern="^(a+)+$"),
    "a pattern that is slow elsewhere, 50 times": text(pattern="(a|a)*" * 50),
    "a pattern with very many states": text(pattern="(a|b)*a(a|b){18}$"),
    "a long repetition": text(pattern="^[^a]{0,5000}$"),
    "an enum of 2,000 values": text(enum=[f"v{n}" for n in range(2_000)]),
    "200 branches": contract(oneOf=[{**closed(t={"const": f"v{n}"}), "required": ["t"]} for n in range(200)]),
    "900 KiB of text": text(description="x" * (900 << 10)),
    "references that fan out": linked(lambda inner, _: closed(a=inner, b=inner)),
    "required references that fan out": linked(lambda inner, _: {**closed(a=inner, b=inner), "required": ["a", "b"]}),
    "branches that fan out": linked(tagged, count=45),
    "a chain": linked(lambda inner, _: inner, count=190),
    "objects in objects": linked(lambda inner, _: closed(a=inner), count=95),
    "lengths beyond all": text(minLength=10**18, maxLength=10**19),
    "a required text of a petabyte": of({"type": "string", "minLength": 10**15}, required=["x"]),
    "an array of a trillion": of(listed(INT, size=10**12), required=["x"]),
    "arrays in arrays": of(listed(INT, depth=40), required=["x"]),
    "a length of 1e300": text(maxLength=1e300),
    "a bound of 1e300": number("1e300"),
    "1e-999999": number("1e-999999", "number"),
    "multiples of almost nothing": of({"type": "number", "multipleOf": 5e-324}),
    "a recursive type that is required": of({"$ref": "#"}, required=["x"]),
    "keys that are code": contract(**closed(**{
        '*/ x(); /*"""': {**INT, "description": '*/ \n\u2028 ${x} """ @\' #>'}, "\n": INT, "\u202e": INT, "": INT,
        "/~%#": INT,
    })),
    "a key of 50,000 characters": contract(**closed(**{"k" * 50_000: INT})),
}  # fmt: skip


@pytest.fixture
def project(sandbox, monkeypatch):
    """A project whose contract, committed and present, is a good one; with traps beside it."""
    monkeypatch.setattr(compatibility, "_ENOUGH", 10_000)  # a tenth of the documents, of which there is always one
    folder = sandbox.root / FOLDER
    (folder / "examples").mkdir(parents=True)
    (folder / "zero").symlink_to("/dev/zero")
    (folder / "away").symlink_to("/tmp")
    put(sandbox, of(INT))
    sandbox.git("add", "-A")
    sandbox.git("commit", "-qm", "good")
    return sandbox


def put(sandbox, schema, file="A@1.0.json"):
    sandbox.write(f"{FOLDER}/{file}", schema if isinstance(schema, str) else json.dumps(schema))


def called(sandbox, *arguments, codes):
    done = sandbox.cmr(*arguments, trust=False)
    assert done.code in codes, done.err[-500:]
    assert "Traceback" not in done.err
    assert len(done.out) + len(done.err) < 20_000
    return done


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(project, name):
    schema, code, said = REFUSED[name]
    put(project, schema)
    for command in (("validate-contracts", "--lint", "--compat=HEAD"), ("generate-models", "--check")):
        done = called(project, *command, codes={2})
        assert f"error[{code}]" in done.err
        assert said in done.err
        assert f"where  {FOLDER}" in done.err
    project.git("add", "-A")
    project.git("commit", "-qm", "bad")
    put(project, of(INT))
    done = called(project, "validate-contracts", "--compat=HEAD", codes={3})
    assert "compat error" in done.out


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_is_accepted(project, name):
    put(project, ACCEPTED[name])
    for target in (ModelTarget.PYTHON, ModelTarget.TYPESCRIPT):
        called(project, "generate-models", "--target", target.value, codes={0, 1})
    project.git("add", "-A")
    project.git("commit", "-qm", "bad")
    schema = json.loads(ACCEPTED[name]) if isinstance(ACCEPTED[name], str) else ACCEPTED[name]
    put(project, {**schema, "title": "t"})
    put(project, {**schema, "$id": "urn:cmr:contract:A:1.1", "maxProperties": 10**6}, "A@1.1.json")
    done = called(project, "validate-contracts", "--lint", "--compat=HEAD", codes={0, 1})
    first = next(line for line in done.out.splitlines() if line.startswith("A@1.0"))
    assert "compat pass" in first


def test_nothing_is_fetched_wherever_it_stands(project):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        uri = f"http://127.0.0.1:{server.getsockname()[1]}/x.json"
        places = [
            contract(**{"$ref": uri}), contract(**{"$dynamicRef": f"{uri}#a"}), contract(**{"$schema": uri}),
            {"$id": uri}, contract(**{"$vocabulary": {uri: True}}), of({"dependencies": {"a": {"$ref": uri}}}),
            of({"contentSchema": {"$ref": uri}}), of({"additionalItems": {"$ref": uri}}), of({"$recursiveRef": uri}),
            contract(definitions={"a": {"$ref": uri}}), contract(properties={"$ref": {"$ref": uri}}),
            of({"x-own": {"$ref": uri}}), of({"extends": {"$ref": uri}}), of({"const": {"$ref": uri}}),
        ]  # fmt: skip
        for schema in places:
            put(project, schema)
            for command in (*COMMANDS, ("validate-contracts", "--compat=HEAD")):
                called(project, *command, codes={0, 1, 2, 3})
            project.git("add", "-A")
            project.git("commit", "-qm", "bad")
            put(project, of(INT))
            called(project, "validate-contracts", "--compat=HEAD", codes={1, 3})
        with pytest.raises(TimeoutError):
            server.accept()


def test_pipes_at_the_base_and_in_the_way(project):
    os.mkfifo(project.root / FOLDER / "pipe")
    put(project, of({"$ref": "pipe"}))
    for command in (*COMMANDS, ("validate-contracts", "--compat=HEAD")):
        assert "not a regular file" in called(project, *command, codes={2}).err


def test_two_contracts_with_one_id(project):
    put(project, of(INT), "B@1.0.json")
    for command in (*COMMANDS, ("validate-contracts", "--compat=HEAD")):
        assert "is that of" in called(project, *command, codes={2}).err


def test_very_many_keys_in_little_memory(project):
    """The largest ones in a process that may have 1 GiB."""
    many = {f"p{n}": INT for n in range(3_000)}
    put(project, contract(**{**closed(**many), "required": sorted(many)}))
    project.git("add", "-A")
    project.git("commit", "-qm", "many")
    put(project, contract(**{**closed(**many), "required": sorted(many), "title": "t"}))
    put(project, {**ACCEPTED["required references that fan out"], "$id": "urn:cmr:contract:B:1.0"}, "B@1.0.json")
    done = subprocess.run(
        (sys.executable, "-m", "cli_multi_rapid", "validate-contracts", "--lint", "--compat=HEAD"),
        cwd=project.root, capture_output=True, text=True, timeout=100,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-500:]
    assert "A@1.0  schema pass · profile pass · compat pass" in done.stdout
