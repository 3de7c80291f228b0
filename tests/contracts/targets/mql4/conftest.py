"""Generated MQL4, compiled once for all tests of one contract."""

import os
import subprocess
from functools import partial
from importlib.resources import files as resources
from pathlib import Path

import pytest
from contract_samples import Emitted
from rich_contract import opened

from cli_multi_rapid.contracts.targets.mql4 import runtime
from cli_multi_rapid.contracts.targets.mql4.adapting import adapted
from cli_multi_rapid.contracts.targets.mql4.allowed import check_sources
from cli_multi_rapid.contracts.targets.mql4.emitter import Mql4Emitter

TIMEOUT_S = 60


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """Return a folder for compiled programs that all processes of a test run share."""
    folder = tmp_path_factory.getbasetemp()
    return Path(folder.parent if folder.name.startswith("popen-") else folder, "compiled-mql4")


@pytest.fixture
def through(cache, tmp_path):
    """Send documents through the files of a contract."""
    if reason := runtime.unavailable(os.environ):
        pytest.skip(reason)

    def sent(made, documents, **others):
        folder = tmp_path / "work"
        folder.mkdir(exist_ok=True)
        given = {"folder": folder, "environment": os.environ, "timeout": TIMEOUT_S, "cache": cache, **others}
        return runtime.answers(made.contract, made.files, documents, **given)

    return sent


def spoken(schema, name="A@1.0"):
    """Return a schema as the contract `name` in MQL4."""
    one = opened(schema, name)
    emitter = Mql4Emitter()
    text = emitter.text(one.contract, one.judge.type)
    assert text == emitter.text(one.contract, one.judge.type)
    file_name = emitter.file_name(one.contract)
    return Emitted(one.contract, one.judge.type, one.judge.validator, {file_name: text, **emitter.support()}, file_name)


@pytest.fixture
def mql4():
    """Make MQL4 of a schema."""
    return spoken


@pytest.fixture
def read(through):
    """Read one document by a contract: what comes back, or the reason and the place of the refusal."""

    def one(made, document):
        (answer,) = through(made, [document])
        return answer

    return partial(one)


@pytest.fixture
def script(tmp_path):
    """Run an MQL4 script beside the files of a contract; return the lines that it prints."""
    if reason := runtime.unavailable(os.environ):
        pytest.skip(reason)

    def run(source, files, shim=str):
        check_sources(*files.values(), source)
        built_in = resources(runtime.__package__).joinpath("shim.hpp").read_text("utf-8")
        for name, text in {**files, "script.mq4": source}.items():
            (tmp_path / name).write_text(adapted(text), "utf-8")
        (tmp_path / "shim.hpp").write_text(shim(built_in), "utf-8")
        main = '#include "shim.hpp"\n#include "script.mq4"\nint main() { OnStart(); return 0; }\n'
        (tmp_path / "main.cpp").write_text(main, "utf-8")
        compiler = runtime.compiler(os.environ)
        subprocess.run([compiler, *runtime.OPTIONS, "-o", "script", "main.cpp"], cwd=tmp_path, check=True)
        ended = subprocess.run([tmp_path / "script"], capture_output=True, check=True, encoding="utf-8")
        return ended.stderr.splitlines()

    return run
