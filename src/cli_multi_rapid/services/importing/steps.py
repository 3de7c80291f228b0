"""One step of a job as a step of a phase."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import NamedTuple

from cli_multi_rapid.engine.expressions import (
    STATUS_FUNCTIONS,
    ExpressionError,
    compile_expression,
    condition_text,
    evaluate,
    to_string,
    truthy,
)
from cli_multi_rapid.engine.values import RESERVED_PREFIX
from cli_multi_rapid.model.phase import Shell, Step
from cli_multi_rapid.services.importing.actions import advice, calls
from cli_multi_rapid.services.importing.commands import CommandText, shell_of, whole_path
from cli_multi_rapid.services.importing.contexts import Scope, Translator, split_condition
from cli_multi_rapid.services.importing.expressions import OPENING, conjuncts, pieces_of, references
from cli_multi_rapid.services.importing.matrix import Matrix, Uneven
from cli_multi_rapid.services.importing.names import Names, name_of_command
from cli_multi_rapid.services.importing.source import Refused, Report, Source

_KEYS = frozenset((
    "id", "if", "name", "uses", "run", "working-directory", "shell", "with", "env", "continue-on-error",
    "timeout-minutes",
))  # fmt: skip
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAME_WRITTEN = re.compile(r"\b([A-Za-z_][A-Za-z0-9_]*)(?:=|<<)")


@dataclass(slots=True, kw_only=True)
class Job:
    """What all steps of a job share. It grows while they are made, one after the other.

    `lost` are variables that later steps would miss, with why; `moving` are those of the job's `env` that read the
    matrix, so that every step has to have them; `programs` are those that actions have set up so far. `no_shell` says
    why there is none for steps that do not name their own; `narrowed` are steps that run for some combinations only.
    """

    report: Report
    used: Translator
    condition: str = ""
    shell: Shell = Shell.BASH
    no_shell: Refused | None = None
    folder: Source | None = None
    moving: dict[str, str] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)
    known: dict[str, str | None] = field(default_factory=dict)
    programs: dict[str, None] = field(default_factory=dict)
    names: Names = field(default_factory=Names)
    narrowed: list[str] = field(default_factory=list)

    @property
    def scope(self) -> Scope:
        """Return what its expressions can read."""
        return self.used.scope


class Gap(NamedTuple):
    """What stands in a phase's file in place of a step that is left out; nothing where none is missed."""

    note: str


def make_step(source: Source, job: Job) -> Step | Gap:
    """Return what a step is here; one that cannot be carried over is on the list."""
    identifier = source.at("id").text
    job.known.setdefault(identifier.lower(), None)
    for key, value in source.items():
        if key not in _KEYS:
            job.report.add(value, f"'{key}' is no key of a step that is known here")
    if source.has("uses"):
        found = advice(source)
        job.programs |= dict.fromkeys(found.programs)
        job.report.add(source.at("uses"), found.why, found.fix)
        return gap(source, "" if found.programs or found.why.startswith("not needed") else found.why)
    if not source.at("run").text.strip():
        job.report.add(source, "the step has no command", "write one under 'run'")
        return gap(source, "")
    try:
        step = _Maker(source, job).make()
    except _Placed as refused:
        job.report.refused(refused.source, refused.refusal)
        _lose(source, job)
        return gap(source, refused.refusal.why)
    if identifier:
        job.known[identifier.lower()] = step.id
        if step.id != identifier:
            job.report.add(source.at("id"), f"the id does not fit or is taken: the step is called '{step.id}'")
    return step


def gap(source: Source, why: str) -> Gap:
    """Return what to write where a step is left out, and why it is missed (if it is)."""
    if not why:
        return Gap("")
    what = source.at("name").text or source.at("uses").text.partition("@")[0] or source.at("run").text.strip()
    return Gap(f"left out: {what.partition(chr(10))[0][:_NOTE_CHARACTERS]} (line {source.line}): {why}")


_NOTE_CHARACTERS = 60


def title_of(source: Source, report: Report) -> str:
    """Return a name as plain text: what would be filled in is only named."""
    if OPENING not in source.text:
        return " ".join(source.text.split())
    try:
        pieces = pieces_of(source.text)
    except Refused as refusal:
        report.refused(source, refusal)
        return ""
    report.add(source, "a title is plain text: what would be filled in is only named", needle=OPENING)
    return " ".join("".join(one if plain else f"<{_last_name(one)}>" for plain, one in pieces).split())


def _last_name(expression: str) -> str:
    try:
        return (whole_path(expression) or ("...",))[-1]
    except Refused:
        return "..."


def duration(source: Source) -> str:
    """Return minutes as a duration.

    Raises:
        Refused: they are not a number, or not more than zero.
    """
    minutes = source.value
    if isinstance(minutes, bool) or not isinstance(minutes, int | float) or not 0 < minutes <= _LONGEST_MINUTES:
        raise Refused("a timeout is a number of minutes", "write it as a number")
    if minutes == int(minutes):
        return f"{int(minutes)}m"
    return f"{max(1, round(Fraction(minutes) * 60000))}ms"


_LONGEST_MINUTES = 365 * 24 * 60


class _Placed(Exception):
    """A refusal with the value that it is about."""

    def __init__(self, source: Source, refusal: Refused) -> None:
        super().__init__(refusal.why)
        self.source = source
        self.refusal = refusal


@contextmanager
def _at(source: Source) -> Iterator[None]:
    try:
        yield
    except Refused as refusal:
        needle = refusal.needle if refusal.needle and refusal.needle in source.text else ""
        raise _Placed(source, Refused(refusal.why, refusal.fix, needle=needle)) from refusal


class _Maker:
    """Makes one step with a command."""

    def __init__(self, source: Source, job: Job) -> None:
        self.source = source
        self.job = job
        own: dict[str, str] = {}
        for name, value in source.at("env").items():
            with _at(value):
                check_variable(name)
                own[name] = text_of(value)
        self.scope = replace(
            job.scope,
            steps=job.known,
            env={**job.scope.env, **own},
            shown=job.scope.shown - set(own),
        )
        self.own = own

    def make(self) -> Step:
        with _at(self.source.at("if")):
            condition = self._condition()
        try:
            return self._made(condition=condition)
        except Uneven:
            self.scope = replace(self.scope, matrix=replace(self.scope.matrix, packed=True))
            return self._made(condition=condition)

    def _made(self, *, condition: str | bool | None) -> Step:
        source = self.source
        translator = Translator(self.scope)
        env = self._env(translator)
        shell = self._shell()
        text = self._text(translator, env, shell)
        axes = self.scope.matrix.axes(translator.axes)
        self.job.used.take(translator)
        title = title_of(source.at("name"), self.job.report)
        wanted = source.at("id").text or (title or name_of_command(source.at("run").text)).lower()
        identifier = self.job.names.take(wanted, otherwise="step")
        if len(self.scope.matrix.combinations) < len(self.job.scope.matrix.combinations):
            self.job.narrowed.append(identifier)
        return Step(
            id=identifier,
            run=text,
            title=title,
            if_=condition,
            env=dict(env),
            shell=shell if shell is not self.job.shell else None,
            matrix=axes,
            timeout=self._timeout(),
            requires=tuple(one for one in self.job.programs if shell is not Shell.PYTHON and calls(text, one)),
            continue_on_error=self._continues(),
        )

    def _condition(self) -> str | bool | None:
        value = self.source.at("if").value
        if value is None and not self.source.has("if"):
            return self.job.condition or None
        if isinstance(value, bool):
            return (self.job.condition or None) if value else False
        try:
            text = condition_text(value if isinstance(value, str) else to_string(value))
        except ExpressionError as error:
            raise Refused(error.message[:1].lower() + error.message[1:], error.hint) from error
        decided, left = split_condition(text, self.scope.matrix)
        self.scope = replace(self.scope, matrix=_narrowed(self.scope.matrix, decided))
        translator = Translator(self.scope)
        parts = undecided(translator.expression(" ".join(part.split("\n"))) for part in left)
        if translator.axes:
            raise Refused("a condition is decided once for all combinations, and this one needs the matrix")
        self.job.used.take(translator)
        return together(self.job.condition, " && ".join(parts)) or None

    def _env(self, translator: Translator) -> dict[str, str]:
        env: dict[str, str] = {}
        for name, text in self.job.moving.items():
            if name not in self.own:
                env[name] = translator.template(text)
        for name, value in self.source.at("env").items():
            with _at(value):
                env[name] = translator.template(self.own[name])
        if not isinstance(self.source.at("env").value, dict | None):
            raise _Placed(self.source.at("env"), Refused("'env' is no mapping of variables to values"))
        return env

    def _shell(self) -> Shell:
        given = self.source.at("shell")
        if given.value is None and self.job.no_shell is not None:
            raise _Placed(self.source.at("run"), self.job.no_shell)
        if given.value is None:
            return self.job.shell
        with _at(given):
            return shell_of(given, self.job.report)

    def _text(self, translator: Translator, env: dict[str, str], shell: Shell) -> str:
        run = self.source.at("run")
        own_folder = self.source.at("working-directory")
        folder = own_folder if own_folder.text else self.job.folder
        taken = frozenset(name for name in self.scope.env if name not in env and name not in self.job.lost)
        with _at(run):
            for name, why in self.job.lost.items():
                if name not in env and _reads(run.text, name):
                    raise Refused(f"it reads the variable {name}: {why}", "write it under 'env'", needle=name)
            return CommandText(translator, env, taken=taken).build(run, folder, shell, self.job.report)

    def _timeout(self) -> str | None:
        return timeout_of(self.source.at("timeout-minutes"), self.job.report)

    def _continues(self) -> bool:
        given = self.source.at("continue-on-error")
        if isinstance(given.value, bool) or given.value is None:
            return bool(given.value)
        try:
            text = condition_text(given.text)
            decided, left = split_condition(text, self.scope.matrix)
            if not left:
                results = {all(_holds(part, one) for part in decided) for one in self.scope.matrix.combinations}
                if len(results) == 1:
                    return results.pop()
        except (Refused, ExpressionError):
            pass
        self.job.report.add(given, "it is the same for all combinations: true or false", "write true or false")
        return False


def timeout_of(source: Source, report: Report) -> str | None:
    """Return a timeout; one that cannot be carried over is on the list."""
    if source.value is None:
        return None
    try:
        return duration(source)
    except Refused as refusal:
        report.refused(source, refusal)
        return None


def together(*conditions: str) -> str:
    """Return one condition that holds if all do; empty ones always hold."""
    given = [one for one in conditions if one]
    if len(given) < 2:
        return "".join(given)
    return " && ".join(f"({one})" if len(conjuncts(one)) == 1 and "||" in one else one for one in given)


def check_variable(name: str) -> None:
    """Refuse a name that no variable of a step can have."""
    if not _ENV_NAME.fullmatch(name) or name.upper().startswith(RESERVED_PREFIX):
        raise Refused(f"the variable '{name}' cannot be given to a step here", "use another name")


def text_of(source: Source) -> str:
    """Return a value of `env` as the text that GitHub makes of it.

    Raises:
        Refused: it is a list or a mapping.
    """
    if source.value is not None and not isinstance(source.value, str | int | float):
        raise Refused("a variable has one value", "write it as text")
    return to_string(source.value)


def undecided(parts: Iterable[str]) -> list[str]:
    """Return the parts of a condition that are not always true.

    Raises:
        Refused: one is never true.
    """
    found: list[str] = []
    for part in parts:
        functions = compile_expression(part).functions
        if references(part) or functions & STATUS_FUNCTIONS or "hashfiles" in functions:
            found.append(part)
        elif not _holds(part, {}):
            raise Refused(f"the condition never holds here: {part}")
    return found


def _narrowed(matrix: Matrix, decided: list[str]) -> Matrix:
    """Return the matrix with the combinations for which parts of a condition hold."""
    if not decided:
        return matrix
    keep = [all(_holds(part, one) for part in decided) for one in matrix.combinations]
    if not any(keep):
        raise Refused("the condition holds for no combination that is carried over")
    return matrix.where(keep)


def _holds(part: str, combination: Mapping[str, object]) -> bool:
    try:
        return truthy(evaluate(part, {"matrix": combination}))
    except ExpressionError as error:
        raise Refused(f"the condition cannot be evaluated: {error.message}") from error


def _lose(source: Source, job: Job) -> None:
    """Remember the variables that a step which is left out would have handed on."""
    text = source.at("run").text
    if "GITHUB_ENV" in text:
        why = "the step that sets it is not carried over"
        job.lost |= {name: why for name in _NAME_WRITTEN.findall(text) if name not in job.scope.env}


def _reads(text: str, name: str) -> bool:
    return bool(re.search(rf"(?:\$\{{?|\$env:|\$\{{env:|environ\S*?[\"'])[#!]?{name}\b", text))
