"""What a project depends on: from its lock files and its Python environment, and what could not be looked at."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from cli_multi_rapid.gates.evidence import EvidenceError, Report, inside, matching, read_own
from cli_multi_rapid.gates.manifests import environment_manifest, npm_manifest, python_manifest
from cli_multi_rapid.gates.npm_locks import read_package_lock, read_pnpm_lock, read_yarn_lock
from cli_multi_rapid.gates.packages import Listing, Loose, Package, Terms
from cli_multi_rapid.gates.python_locks import read_package_tables, read_pipfile_lock
from cli_multi_rapid.gates.requirements import read_requirements
from cli_multi_rapid.gates.versions import Ecosystem, name_of
from cli_multi_rapid.model.gate import Finding, Level, Severity
from cli_multi_rapid.model.gate_settings import GateSpec
from cli_multi_rapid.model.ports import GateInput
from cli_multi_rapid.system.installed import Distribution, Site, distributions, find_site

Reader = Callable[[Report], Listing]

_READERS: dict[str, Reader] = {
    "uv.lock": read_package_tables,
    "poetry.lock": read_package_tables,
    "pdm.lock": read_package_tables,
    "pylock.toml": read_package_tables,
    "Pipfile.lock": read_pipfile_lock,
    "package-lock.json": read_package_lock,
    "npm-shrinkwrap.json": read_package_lock,
    "yarn.lock": read_yarn_lock,
    "pnpm-lock.yaml": read_pnpm_lock,
}
_FOREIGN = frozenset({
    "bun.lock", "bun.lockb", "Cargo.lock", "composer.lock", "conda-lock.yml", "deno.lock", "Gemfile.lock", "go.sum",
    "gradle.lockfile", "mix.lock", "Package.resolved", "packages.lock.json", "pixi.lock", "pubspec.lock",
})  # fmt: skip
_CORRECT = "correct `lock-files` of this gate"


@dataclass(slots=True, kw_only=True)
class Inventory:
    """What was found. `unread` are findings about what could not be looked at; `sources` counts packages by origin."""

    packages: list[Package] = field(default_factory=list)
    loose: list[Loose] = field(default_factory=list)
    unread: list[Finding] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    sources: dict[str, int] = field(default_factory=dict)
    own: int = 0

    @property
    def distinct(self) -> list[Package]:
        """Return each package once, however many files name it."""
        return _distinct(self.packages)


def take_inventory(spec: GateSpec, given: GateInput, *, always_installed: bool = False) -> Inventory:
    """Return what the project depends on. With `always_installed` its environment is read beside complete lock files.

    Raises:
        EvidenceError: a lock file or the environment is missing or broken, or nothing is found at all.
    """
    taking = _Taking(spec, given)
    taking.lock_files()
    taking.environment(always=always_installed)
    taking.left_out()
    found = taking.found
    if not found.packages and not found.loose:
        why = f"; {found.unread[0].path}: {found.unread[0].message}" if found.unread else ""
        raise EvidenceError(
            f"no dependency was found{why}", fix="add a lock file, name it in `lock-files`, or make the .venv"
        )
    return found


def unsure(given: GateInput) -> Severity:
    """Return how bad it is that something could not be looked at: it blocks in strict, else it is said."""
    return Severity.MEDIUM if given.level is Level.STRICT else Severity.INFO


class _Taking:
    """Takes the inventory of one project, in this order: lock files, environment, what was left out."""

    def __init__(self, spec: GateSpec, given: GateInput) -> None:
        self.found = Inventory()
        self._spec = spec
        self._given = given
        self._root = Path(given.root)
        self._listings: list[Listing] = []
        self._site: Site | None = None
        self._top = sorted(path.name for path in self._root.iterdir() if not path.is_dir())

    def lock_files(self) -> None:
        for report in self._reports():
            listing = self._read(report)
            self._listings.append(listing)
            self.found.reports += [report, *listing.further]
            self.found.packages += _distinct(listing.packages)
            self.found.loose += listing.loose
            self.found.own += listing.own
            self.found.sources[report.path] = len(listing.packages)
        self.found.reports = list({one.path: one for one in self.found.reports}.values())

    def environment(self, *, always: bool) -> None:
        wanted = self._spec.environment
        if wanted is None:
            wanted = self._is_python() and (always or not self._is_complete())
        self._site = find_site(self._given.env) if wanted else None
        if self._site is not None:
            self._installed(self._site)
        elif self._spec.environment:
            raise EvidenceError(
                "there is no Python environment", fix="make a .venv in the project, and install into it"
            )
        named = {(one.ecosystem, one.name) for one in self.found.packages}
        self.found.loose = [one for one in self.found.loose if (one.ecosystem, one.name) not in named]

    def left_out(self) -> None:
        """Note what the project seems to depend on, and nothing was read of."""
        python, npm = self._of(Ecosystem.PYPI), self._of(Ecosystem.NPM)
        path = next((one.source for one in python if not one.complete), "")
        if path and self._site is None and not self._is_complete():
            message = "what its packages need themselves may not be listed"
            fix = "install it into a .venv, use a lock file, or pin everything with hashes"
            self._unread(path, message, rule="dependencies-incomplete", fix=fix)
        if not python and self._site is None and (path := python_manifest(self._top, self._given) or ""):
            message = "it names dependencies, and there is neither a lock file nor an environment"
            self._unread(path, message, severity=Severity.MEDIUM, fix="make a .venv, or lock the dependencies")
        if not npm and (path := npm_manifest(self._top, self._given) or ""):
            message = "it names dependencies, and there is no lock file"
            self._unread(path, message, severity=Severity.MEDIUM, fix="npm install --package-lock-only")
        if not self._spec.lock_files:
            self._others()

    def _others(self) -> None:
        known = {report.path for report in self.found.reports}
        for path in self._given.files:
            name = path.rpartition("/")[2]
            if name in _FOREIGN and name == path:
                self._unread(path, "its packages were not looked at: this kind is not supported", fix=_CORRECT)
            elif path not in known and _reader(name):
                self._unread(path, "its packages were not looked at", fix="name it in `lock-files`")

    def _reports(self) -> Iterator[Report]:
        if self._spec.lock_files:
            paths = matching(self._spec.lock_files, self._given, fix=_CORRECT)
        else:
            paths = tuple(self._root / name for name in self._top if _reader(name) or _is_requirements(name))
        for path in paths:
            yield read_own(path, self._given)

    def _read(self, report: Report) -> Listing:
        name = PurePosixPath(report.path).name
        if reader := _reader(name):
            return reader(report)
        if name.endswith((".txt", ".in")):
            return read_requirements(report, self._included)
        raise EvidenceError(f"{report.path} is no lock file that is known", fix=_CORRECT)

    def _included(self, path: str) -> Report:
        return read_own(Path(os.path.normpath(self._root / path)), self._given)

    def _installed(self, site: Site) -> None:
        """Add what is installed; what a lock file names in the same version is one package with it."""
        try:
            installed = list(distributions(site))
        except OSError as problem:
            raise EvidenceError(
                f"{site.prefix} cannot be read: {problem}", fix="make the environment anew"
            ) from problem
        path = environment_manifest(self._top)
        listed: dict[object, list[int]] = {}
        for number, package in enumerate(self.found.packages):
            listed.setdefault(package.identity, []).append(number)
        for one in installed:
            package = _package(one, path)
            if one.editable or (one.source and inside(self._root, Path(one.source, "_"))):
                self.found.own += 1
            elif not one.version:
                self._unread(path, f"{one.name} is installed, but {one.problem or 'has no version'}")
            elif numbers := listed.get(package.identity):
                for number in numbers:
                    self.found.packages[number] = replace(self.found.packages[number], terms=package.terms)
            else:
                listed[package.identity] = [len(self.found.packages)]
                self.found.packages.append(package)
        self.found.sources[site.prefix] = len(installed)
        if site.shared:
            message = "the environment also sees the system's packages, which were not looked at"
            self._unread(path, message, fix="make the .venv without --system-site-packages")

    def _is_python(self) -> bool:
        prefix = self._given.env.get("VIRTUAL_ENV", "")
        own = bool(prefix) and Path(prefix).is_relative_to(self._root)
        return own or bool(self._of(Ecosystem.PYPI)) or python_manifest(self._top, self._given) is not None

    def _is_complete(self) -> bool:
        """Tell whether lock files name everything of Python: one at least is complete, and has what others name."""
        listings = self._of(Ecosystem.PYPI)
        named = {one.name for listing in listings if listing.complete for one in listing.packages}
        others = {one.name for listing in listings if not listing.complete for one in listing.packages}
        others |= {one.name for listing in listings if not listing.complete for one in listing.loose}
        locked = any(listing.complete and (listing.packages or listing.own) for listing in listings)
        return locked and others <= named

    def _of(self, ecosystem: Ecosystem) -> list[Listing]:
        return [one for one in self._listings if one.ecosystem is ecosystem]

    def _unread(
        self,
        path: str,
        message: str,
        *,
        severity: Severity | None = None,
        rule: str = "dependencies-unread",
        fix: str = "",
    ) -> None:
        self.found.unread.append(
            Finding(rule=rule, message=message, path=path, severity=severity or unsure(self._given), fix=fix)
        )


def _reader(name: str) -> Reader | None:
    named = "pylock.toml" if name.startswith("pylock.") and name.endswith(".toml") else name
    return _READERS.get(named)


def _is_requirements(name: str) -> bool:
    return name.startswith("requirements") and name.endswith(".txt")


def _distinct(packages: Iterable[Package]) -> list[Package]:
    """Return the packages without repetitions, each where it is named first."""
    found: dict[object, Package] = {}
    for one in packages:
        found.setdefault(one.identity, one)
    return list(found.values())


def _package(one: Distribution, path: str) -> Package:
    name = name_of(Ecosystem.PYPI, one.name)
    return Package(ecosystem=Ecosystem.PYPI, name=name, version=one.version, path=path, terms=_terms(one))


def _terms(one: Distribution) -> Terms | None:
    texts = (one.licence,) if one.licence and one.licence.upper() != "UNKNOWN" else ()
    if not (one.expression or texts or one.classifiers):
        return None
    return Terms(expression=one.expression, texts=texts, classifiers=one.classifiers)
