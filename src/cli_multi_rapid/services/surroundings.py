"""What steps find around them: environment variables, programs, secrets."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from cli_multi_rapid.errors import UsageError
from cli_multi_rapid.services.wiring import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """`environ` is what steps inherit, `secrets` are to be hidden.

    `missing` runs the project's Python to find what is required and not there, with what to do about it; `present` runs
    nothing and says of each requirement: present, missing or unknown.
    """

    environ: Mapping[str, str]
    secrets: Mapping[str, str]
    python: str | None
    kind: str
    notes: tuple[str, ...]
    missing: Callable[[tuple[str, ...]], Iterable[tuple[str, str]]]
    present: Callable[[tuple[str, ...]], Mapping[str, str]]


def surroundings(project: Project, secrets: Iterable[str] = ()) -> Surroundings:
    """Find the environment that steps see, and the values of the secrets of these names.

    Raises:
        UsageError: a declared secret cannot be hidden because it is too short.
    """
    from cli_multi_rapid.system.environment import (
        find_environment,
        missing_requirements,
        present_without_running,
        step_environ,
    )

    found = find_environment(project.root, project.environ)
    environ = step_environ(found, project.environ, {})

    def missing(requires: tuple[str, ...]) -> Iterable[tuple[str, str]]:
        absent = missing_requirements(requires, environ_path=environ["PATH"], python=found.python, root=project.root)
        return [(one.name, one.fix) for one in absent]

    def present(requires: tuple[str, ...]) -> Mapping[str, str]:
        return present_without_running(requires, found, environ_path=environ["PATH"])

    return Surroundings(
        environ=environ,
        secrets=_secrets(project.environ, secrets),
        python=found.python,
        kind=found.kind,
        notes=tuple(found.notes),
        missing=missing,
        present=present,
    )


def _secrets(environ: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    from cli_multi_rapid.system.redact import check_secret

    found = {name: environ[name] for name in names if environ.get(name)}
    for name, value in found.items():
        try:
            check_secret(name, value)
        except ValueError as refused:
            raise UsageError(str(refused), where=f"environment variable {name}") from refused
    return found
