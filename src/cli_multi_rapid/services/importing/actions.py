"""What the import says about actions (`uses`), none of which it carries over."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from cli_multi_rapid.services.importing.source import Source


class Advice(NamedTuple):
    """Why an action is not carried over, and what to do instead. `programs` are those that it sets up."""

    why: str
    fix: str = ""
    programs: tuple[str, ...] = ()


def advice(step: Source) -> Advice:
    """Return what to say about a step that uses an action."""
    name = str(step.at("uses").value).partition("@")[0].strip()
    if name == "actions/checkout":
        return _checkout(step)
    if name.startswith(("./", "../")):
        return Advice("an action is not a command", f"copy the steps of {name} into the phase")
    if name.startswith("docker://"):
        return Advice("an action is not a command", "run: [docker, run, --rm, IMAGE]")
    if found := _BY_NAME.get(name.lower()):
        return found
    for pattern, found in _BY_PATTERN:
        if re.search(pattern, name, re.IGNORECASE):
            return found
    return Advice("an action is not a command", "write what it does as a step with 'run'")


def calls(text: str, program: str) -> bool:
    """Tell whether a text for a shell calls a program, as far as that can be seen without reading it wholly."""
    return bool(re.search(rf"(?m)(?:^|[;&|(`]|\$\()[ \t]*(?:sudo[ \t]+)?{re.escape(program)}(?=[\s;|&)]|$)", text))


def _checkout(step: Source) -> Advice:
    given = step.at("with")
    if given.has("repository") or given.has("path"):
        return Advice("another checkout is not made", "run: [git, clone, URL, FOLDER]")
    if given.has("ref"):
        return Advice("no other commit is checked out: steps run in the project as it is", "switch to it before")
    return Advice("not needed: steps run in the project itself; it is no fresh copy, so what they change stays changed")


def _setup(*programs: str) -> Advice:
    listed = ", ".join(programs[:2])
    return Advice(f"nothing is installed: steps that call {listed} say so in 'requires'", programs=programs)


_KEPT = Advice("not needed: what is on this machine stays there")
_ARTIFACT = Advice("files stay in the project", "a step names what it makes: produces: {NAME: PATH below $CMR_OUT}")
_DOWNLOAD = Advice("files stay in the project", "read what an earlier step produced: ${{ artifacts.NAME }}")
_UPLOAD = Advice("nothing is uploaded by itself", "call the uploader of that service in a step with 'run'")
_PYTHON = _setup("python", "python3", "pip", "pip3")

_BY_NAME: Mapping[str, Advice] = {
    "actions/setup-python": _PYTHON,
    "actions/setup-node": _setup("node", "npm", "npx", "yarn", "pnpm"),
    "actions/setup-go": _setup("go"),
    "actions/setup-java": _setup("java", "javac", "mvn", "gradle"),
    "actions/setup-dotnet": _setup("dotnet"),
    "ruby/setup-ruby": _setup("ruby", "bundle", "gem"),
    "astral-sh/setup-uv": _setup("uv", "uvx"),
    "hynek/setup-cached-uv": _setup("uv", "uvx"),
    "pnpm/action-setup": _setup("pnpm"),
    "oven-sh/setup-bun": _setup("bun", "bunx"),
    "denoland/setup-deno": _setup("deno"),
    "prefix-dev/setup-pixi": _setup("pixi"),
    "pypa/hatch": _setup("hatch"),
    "extractions/setup-just": _setup("just"),
    "conda-incubator/setup-miniconda": _setup("conda", "mamba"),
    "mamba-org/setup-micromamba": _setup("micromamba"),
    "docker/setup-buildx-action": _setup("docker"),
    "docker/setup-qemu-action": _setup("docker"),
    "pre-commit/action": Advice("an action is not a command", "run: [pre-commit, run, --all-files]"),
    "pypa/gh-action-pypi-publish": Advice(
        "an action is not a command", "run: twine upload dist/*, with TWINE_PASSWORD as a secret"
    ),
    "docker/build-push-action": Advice("an action is not a command", "run: [docker, build, --tag, NAME, .]"),
    "docker/login-action": Advice("an action is not a command", "log in to the registry before the run"),
    "actions/github-script": Advice("there is no GitHub to ask from here", "run: [gh, api, PATH]"),
    "actions/upload-artifact": _ARTIFACT,
    "actions/download-artifact": _DOWNLOAD,
    "actions/upload-pages-artifact": _ARTIFACT,
    "re-actors/alls-green": Advice("not needed: a run fails if any of its phases fails"),
    "dorny/paths-filter": Advice("what changed is not asked", "run only the phase that you need: run-phase NAME"),
}  # fmt: skip

_BY_PATTERN = (
    (r"(^|/)(.*-)?rust-toolchain$|actions-rs/toolchain|setup-rust", _setup("cargo", "rustc", "rustup")),
    (r"(^|[/-])cache($|[/-])", _KEPT),
    (r"codecov|coveralls|upload-sarif|codacy", _UPLOAD),
    (r"(^|/)setup-", Advice("nothing is installed", "install it before the run, and name its programs in 'requires'")),
)
