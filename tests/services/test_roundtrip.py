"""The round trip: who gets which documents, what is said of it, what is kept, and what counts."""

import json
import os
from dataclasses import dataclass, field, replace

import pytest
from jsonschema_rs import Draft202012Validator
from rich_contract import RICH, closed, reader

from cli_multi_rapid.contracts.emitting import Answer, Refused, RuntimeFailed
from cli_multi_rapid.contracts.profile import lowered
from cli_multi_rapid.contracts.roundtrip import Judge
from cli_multi_rapid.documents.contracts import contracts_data, contracts_lines, exit_code
from cli_multi_rapid.errors import UsageError
from cli_multi_rapid.model.contract import CheckStatus, ContractResult, Violation
from cli_multi_rapid.services.contract_trip import ContractTrip
from cli_multi_rapid.services.contracts import opened_contracts
from cli_multi_rapid.services.languages import Language
from cli_multi_rapid.services.roundtrip import Trip, roundtrip_checks, trip_of
from cli_multi_rapid.services.wiring import open_project

SMALL = closed(("n",), n={"type": "integer", "minimum": 0, "maximum": 9}, note={"type": "string"})
FEW = Trip(documents=12)


@dataclass
class Program:
    """A program in no language. What it writes and whether it is there can be chosen; it counts how often it ran."""

    write: object = json.dumps
    missing: str = ""
    version: str = "1"
    never: tuple = ()
    given: list = field(default_factory=list)

    @property
    def NOT_RUN(self):  # noqa: N802
        return self.never

    def unavailable(self, environment):
        return self.missing

    def executed(self, environment):
        return f"toy {self.version}"

    def answers(self, contract, files, documents, *, folder, environment, timeout):
        assert not list(folder.iterdir())
        self.given.append(list(documents))
        return reader(files["judge"], write=self.write)(documents)


def language(target, program, files=None):
    def made(found, contract, root):
        return {"judge": next(judge for path, judge in program.judges.items() if path == contract.path)}

    return Language(target=target, programs=(f"{target}c",), files=files or made, runtime=program)


@pytest.fixture
def trip(sandbox):
    """Return a function that sends the contracts of the sandbox through two toy languages."""

    def write(**schemas):
        for name, schema in schemas.items():
            text = json.dumps({"$id": f"urn:cmr:contract:{name}:1.0", **schema})
            sandbox.write(f"contracts/events/{name}@1.0.json", text)

    def go(python, other, *, asked=FEW, files=None):
        opened = opened_contracts(open_project(sandbox.root))
        for program in (python, other):
            program.judges = {
                one.path: Judge(type=lowered(opened.found, one).type, validator=opened.validators[one.path])
                for one in opened.found.contracts
            }
        spoken = (language("python", python), language("toy", other, files))
        found = roundtrip_checks(opened, spoken, asked)
        results = [
            ContractResult(name=one.name, version=one.version, checks=found[one.path]) for one in opened.found.contracts
        ]
        return results, {check.target: check for check in found["contracts/events/A@1.0.json"]}

    write(A=SMALL)
    go.write = write
    go.root = sandbox.root
    return go


def test_what_passes_says_what_was_executed(trip):
    python, other = Program(), Program()
    results, checks = trip(python, other)
    assert {one.status for one in checks.values()} == {CheckStatus.PASS}
    assert checks["toy"].detail.startswith("toy 1: ")
    assert exit_code(results) == 0
    first, back = python.given
    (through,) = other.given
    assert len(first) == 12 + 60
    assert through[: len(first)] == first
    assert len(back) == len(through) - sum("refused" in one for one in through) - int(
        checks["toy"].detail.split(", ")[-1].split()[0]
    )
    assert "\n".join(contracts_lines(results)).count("documents equal") == 2


def test_the_other_language_also_gets_what_python_wrote(trip):
    other = Program()
    trip(Program(write=lambda value: json.dumps(value, indent=9)), other)
    assert sum("\n         " in one for one in other.given[0]) >= 12


def test_a_failing_document_is_shown_and_saved(trip):
    results, checks = trip(Program(), Program(write=lambda value: json.dumps({"n": value["n"]})))
    assert exit_code(results) == 1
    said = checks["toy"]
    assert said.status is CheckStatus.FAIL
    assert "/note was lost; a valid document: " in said.detail
    assert '{"n":0,"note":""}' in said.detail
    assert "(seed 1; saved as .cmr/roundtrip/A@1.0-toy.json)" in said.detail
    kept = json.loads((trip.root / ".cmr/roundtrip/A@1.0-toy.json").read_text())
    assert kept["document"] == '{"n":0,"note":""}'
    assert kept["answer"] == {"text": '{"n": 0}'}
    assert (kept["seed"], kept["contract"], kept["must_be_refused"]) == (1, "urn:cmr:contract:A:1.0", None)
    assert checks["python"].status is CheckStatus.PASS


def test_a_folder_for_reports_that_is_a_link_gets_nothing(trip, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (trip.root / ".cmr").symlink_to(outside)
    _, checks = trip(Program(), Program(write=lambda value: json.dumps({"n": value["n"]})))
    assert "not saved: the report's folder is a link" in checks["toy"].detail
    assert not list(outside.iterdir())


def test_what_python_cannot_read_again_fails(trip):
    class Picky(Program):
        def answers(self, contract, files, documents, **more):
            made = super().answers(contract, files, documents, **more)
            return made if len(self.given) == 1 else [Answer(error="no", where="1:1") for _ in made]

    results, checks = trip(Picky(), Program())
    assert "Python read what toy wrote: it is valid, but was refused at 1:1: no" in checks["toy"].detail
    assert exit_code(results) == 1


def test_a_program_without_a_verdict(trip):
    class Crashing(Program):
        def answers(self, *given, **more):
            raise RuntimeFailed("it ended with signal 11")

    results, checks = trip(Program(), Crashing())
    assert checks["toy"].status is CheckStatus.ERROR
    assert "signal 11" in checks["toy"].detail
    assert exit_code(results) == 3
    _, checks = trip(Crashing(), Program(), asked=Trip(documents=12, cache=False))
    assert checks["python"].status is CheckStatus.ERROR
    assert checks["toy"].status is CheckStatus.PASS


def test_a_reader_that_crashes_gives_no_verdict(trip):
    class Late(Program):
        def answers(self, contract, files, documents, **more):
            made = super().answers(contract, files, documents, **more)
            if len(self.given) > 1:
                raise RuntimeFailed("gone")
            return made

    _, checks = trip(Late(), Program())
    assert checks["python"].status is CheckStatus.PASS
    assert checks["toy"].detail == "there is no verdict: Python, reading what came back: gone"


def test_without_python_the_others_are_judged_by_the_validator_alone(trip):
    results, checks = trip(Program(missing="pydantic is not installed"), Program())
    assert checks["toy"].status is CheckStatus.PASS
    assert exit_code(results) == 0


def test_a_bug_in_the_generator_of_documents_is_an_error(trip):
    opened = opened_contracts(open_project(trip.root))
    (contract,) = opened.found.contracts
    strict = Draft202012Validator({"properties": {"n": {"maximum": 5}}})
    program = Program()
    way = ContractTrip(
        opened=replace(opened, validators={contract.path: strict}), contract=contract, trip=FEW, kept=trip.root,
        languages=(language("python", program),),
    )  # fmt: skip
    (check,) = way.checks({})
    assert check.status is CheckStatus.ERROR
    assert "which is a bug of this program: /n: " in check.detail


MISSING = Program(missing="toyc is not on PATH", never=(("toy-studio", "it needs a desktop"),))


@pytest.mark.parametrize(
    ("required", "code"), [((), 0), (("python",), 0), (("toy",), 3), (("toy-studio",), 3), (("python", "toy"), 3)]
)
def test_what_is_not_run_counts_only_where_it_is_required(trip, required, code):
    results, checks = trip(Program(), MISSING, asked=Trip(documents=12, required=frozenset(required)))
    assert checks["toy"].status is checks["toy-studio"].status is CheckStatus.NOT_RUN
    assert exit_code(results) == code
    assert contracts_data(results)["status"] == ("not_run" if code else "pass")
    lines = "\n".join(contracts_lines(results))
    assert "toyc is not on PATH" in lines
    assert "it needs a desktop" in lines


def test_where_nothing_was_run_nothing_has_passed(trip):
    results, _ = trip(Program(missing="none"), MISSING)
    assert exit_code(results) == 3


def test_a_contract_outside_of_the_profile(trip):
    trip.write(B={**SMALL, "additionalProperties": True})
    results, _ = trip(Program(), Program())
    outside = results[1].checks
    assert {one.status for one in outside} == {CheckStatus.NOT_RUN}
    assert "outside of the profile" in outside[0].detail
    assert "objects are closed" in outside[0].detail
    assert "--lint" in outside[0].detail
    assert exit_code(results) == 0
    results, _ = trip(Program(), Program(), asked=Trip(documents=12, required=frozenset({"toy"})))
    assert exit_code(results) == 3


def test_a_language_that_cannot_express_a_contract(trip):
    def refusing(found, contract, root):
        raise Refused(Violation(place="x#/properties", reason="it has no arrays"))

    results, checks = trip(Program(), Program(), files=refusing)
    assert checks["toy"].status is CheckStatus.NOT_RUN
    assert "it has no arrays" in checks["toy"].detail
    assert exit_code(results) == 0


def test_a_contract_without_any_document(trip):
    trip.write(A=closed(("x",), x={"type": "string", "minLength": 2, "maxLength": 1}))
    results, checks = trip(Program(), Program())
    assert {one.status for one in checks.values()} == {CheckStatus.NOT_RUN}
    assert "no document could be made" in checks["toy"].detail
    assert exit_code(results) == 3


class TestWhatIsKept:
    def test_what_has_passed_is_not_run_again(self, trip):
        trip(Program(), Program())
        python, other = Program(), Program()
        _, checks = trip(python, other)
        assert python.given == other.given == []
        assert all("taken over" in one.detail for one in checks.values())
        assert all(one.status is CheckStatus.PASS for one in checks.values())

    @pytest.mark.parametrize(
        "asked", [Trip(documents=12, cache=False), Trip(documents=13), Trip(documents=12, seed=2)], ids=str
    )
    def test_other_questions_are_asked_anew(self, trip, asked):
        trip(Program(), Program())
        python, other = Program(), Program()
        _, checks = trip(python, other, asked=asked)
        assert python.given
        assert other.given
        assert not any("taken over" in one.detail for one in checks.values())

    def test_another_version_or_contract_is_run_anew(self, trip):
        trip(Program(), Program())
        other = Program(version="2")
        _, checks = trip(Program(), other)
        assert other.given
        assert "taken over" in checks["python"].detail
        trip.write(A={**SMALL, "required": []})
        other = Program(version="2")
        trip(Program(), other)
        assert other.given

    def test_only_the_changed_contract_is_run_anew(self, trip):
        trip.write(B=SMALL)
        trip(Program(), Program())
        trip.write(B={**SMALL, "required": []})
        other = Program()
        trip(Program(), other)
        assert len(other.given) == 1

    def test_what_has_failed_is_run_again(self, trip):
        wrong = lambda value: json.dumps({"n": value["n"]})  # noqa: E731
        trip(Program(), Program(write=wrong))
        _, checks = trip(Program(), Program(write=wrong))
        assert checks["toy"].status is CheckStatus.FAIL
        assert "taken over" in checks["python"].detail


def test_runtimes_have_names():
    trip = trip_of("node, python", seed=None, documents=None, cache=True)
    assert trip == Trip(required=frozenset({"typescript", "python"}))
    assert trip_of("tsc", seed=5, documents=7, cache=False) == Trip(
        seed=5, documents=7, cache=False, required=frozenset({"tsc"})
    )
    with pytest.raises(UsageError, match="there is no runtime 'nodde'") as caught:
        trip_of("nodde", seed=None, documents=None, cache=True)
    assert "did you mean 'node'?" in caught.value.hint


def test_programs_are_not_looked_for_in_the_project(trip, tmp_path, monkeypatch):
    seen = []

    class Looking(Program):
        def unavailable(self, environment):
            seen.append(environment["PATH"])
            return ""

    (tmp_path / "link").symlink_to(trip.root)
    inside = (f"{trip.root}/node_modules/.bin", str(trip.root), f"{tmp_path}/link/bin", ".", "")
    monkeypatch.setenv("PATH", os.pathsep.join([*inside, "/usr/bin", f"{tmp_path}/bin"]))
    trip(Looking(), Looking())
    assert set(seen) == {os.pathsep.join(["/usr/bin", f"{tmp_path}/bin"])}


def test_a_rich_contract_goes_through(trip):
    trip.write(A=RICH)
    results, _ = trip(Program(), Program(), asked=Trip(documents=25))
    assert exit_code(results) == 0
