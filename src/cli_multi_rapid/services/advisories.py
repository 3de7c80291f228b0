"""Advisory databases: what one holds, and making one file of it for many machines."""

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cli_multi_rapid.errors import AdvisoriesUnusable, UsageError
from cli_multi_rapid.gates.advisory_database import INDEX_ENDINGS, VARIABLE, build, open_source
from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.services.project import cache_dir, ensure_state_dir


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a database holds of one ecosystem. `newest` is when the newest advisory was modified (None: unknown)."""

    ecosystem: str
    advisories: int
    newest: datetime | None


def usual_source(environ: Mapping[str, str]) -> Path:
    """Return the database that gates use which name none: that of CMR_ADVISORY_DB, else the folder in the cache."""
    chosen = environ.get(VARIABLE, "")
    return Path(chosen) if chosen else cache_dir(environ) / "advisories"


def look(source: Path, environ: Mapping[str, str]) -> tuple[Held, ...]:
    """Return what a database holds, by ecosystem.

    Raises:
        AdvisoriesUnusable: it is missing or broken.
    """
    cache = ensure_state_dir(cache_dir(environ)) / "advisory-index"
    with _translated():
        database = open_source(Path(os.path.realpath(source)), name=str(source), cache=cache)
    with closing(database):
        return tuple(
            Held(ecosystem=ecosystem.value, advisories=holding.advisories, newest=holding.newest)
            for ecosystem, holding in sorted(database.holdings.items())
        )


def write_database(source: Path, target: Path) -> None:
    """Make one file of a database, which any gate opens at once.

    Raises:
        UsageError: the name of the target does not say what it is.
        AdvisoriesUnusable: the source is missing or broken, or the target cannot be written.
    """
    if not target.name.endswith(INDEX_ENDINGS):
        raise UsageError(f"{target} does not end in {' or '.join(INDEX_ENDINGS)}", hint="name it advisories.sqlite")
    with _translated():
        build(source, target, name=str(source))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except EvidenceError as problem:
        raise AdvisoriesUnusable(str(problem), hint=problem.fix) from problem
    except OSError as problem:
        raise AdvisoriesUnusable(str(problem)) from problem
