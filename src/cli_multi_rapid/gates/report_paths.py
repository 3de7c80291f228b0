"""Where the files lie that a coverage report measures: every tool names them in its own way."""

import os.path
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path, PurePosixPath

from cli_multi_rapid.gates.evidence import EvidenceError, Report, is_file, is_folder, shown

_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPaths:
    """Finds the project's files that one report names. `files` are those of the project."""

    root: Path
    report: Report
    files: tuple[str, ...]
    _by_name: dict[str, list[str]] = field(default_factory=dict)

    def named(self, name: str, *, sources: Sequence[str] = ()) -> str:
        """Return the path of a file that a report names by its path, relative to the project where it lies inside.

        The name may be absolute or relative: to one of the `sources`, to the report's folder or to one above it in the
        project, the nearest first. What does not exist is taken as relative to the project.

        Raises:
            EvidenceError: the name is no text (JSON can hold halves of characters).
        """
        if not name or name.encode("utf-8", "ignore").decode() != name:
            raise EvidenceError(
                f"{self.report.path} measures {name!r:.40}, which names no file", fix="measure the coverage again"
            )
        if "\\" in name and "/" not in name:
            name = name.replace("\\", "/")
        for base in (*(self.root / source for source in sources), *self._folders(), self.root):
            candidate = Path(os.path.normpath(base / name))
            if is_file(candidate):
                return shown(self.root, candidate)
        return shown(self.root, Path(os.path.normpath(self.root / name)))

    def folders(self, names: Iterable[str]) -> list[str]:
        """Return those of the folders that a report names which exist, each once: every file is looked for in them."""
        return [name for name in dict.fromkeys(names) if name and is_folder(Path(os.path.normpath(self.root / name)))]

    def ending(self, ending: str, *, module: str = "") -> str:
        """Return the one file of the project whose path ends like this, as compilers of the JVM name sources.

        Of several it is the one in a folder called like the module, else the one nearest to the report. Languages
        other than Java need not lay their folders out like their packages, so there the end of the package will do.

        Raises:
            EvidenceError: there is none, or more than one.
        """
        parts = PurePosixPath(ending).parts
        shortest = 0 if ending.endswith(".java") else len(parts) - 1
        found: list[str] = []
        for start in range(shortest + 1):
            found = found or self._with_ending("/".join(parts[start:]))
        found = [path for path in found if module in PurePosixPath(path).parts] or found
        nearest = max((self._shared(path) for path in found), default=0)
        found = [path for path in found if self._shared(path) == nearest]
        if not found:
            message = f"{self.report.path} measures {ending}, of which the project has no source"
            raise EvidenceError(message, fix="leave generated code out of the measurement")
        if len(found) > 1:
            message = f"{self.report.path} measures {ending}, which may be any of {', '.join(found[:_NAMED])}"
            raise EvidenceError(message, fix="give the report of each module, in the folder of its module")
        return found[0]

    def _folders(self) -> list[Path]:
        folder = self.report.absolute.parent
        inside = [one for one in (folder, *folder.parents) if one.is_relative_to(self.root)]
        return inside or [folder]

    def _with_ending(self, ending: str) -> list[str]:
        if not self._by_name:
            for path in self.files:
                self._by_name.setdefault(path.rpartition("/")[2], []).append(path)
        same = self._by_name.get(ending.rpartition("/")[2], [])
        return [path for path in same if f"/{path}".endswith(f"/{ending}")]

    def _shared(self, path: str) -> int:
        """Return how many folders of a path, from the root, are folders of the report too."""
        report, file = (PurePosixPath(one).parts[:-1] for one in (self.report.path, path))
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(report, file, strict=False)))
