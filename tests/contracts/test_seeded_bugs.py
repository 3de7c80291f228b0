"""The proof can fail: each bug that is planted in MQL4, in what executes it, or in another language is found.

The MQL4 program is compiled once with all bugs in it; a number says which one is on. With none it must pass.
"""

import json
import os
import subprocess
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from rich_contract import RICH, opened
from seeded_bugs import BUGS, OTHER_BUGS

from cli_multi_rapid.contracts.roundtrip import cases, judged
from cli_multi_rapid.contracts.targets.exchange import exchanged
from cli_multi_rapid.contracts.targets.mql4 import runtime as mql4
from cli_multi_rapid.contracts.targets.mql4.emitter import Mql4Emitter
from cli_multi_rapid.services.languages import languages

MADE = opened(RICH)
JUDGE = replace(MADE.judge, nul=False)
GIVEN = cases(JUDGE, seed=1, count=100, changed=1000)
LARGE = [case for case in GIVEN if len(case.text) > 1 << 20]
SMALL = [case for case in GIVEN if case not in LARGE]
MAIN = """
extern "C" int atoi(const char *);
static int cmr_bug = 0;
#include "shim.hpp"
#include "A_v1_0.mqh"
typedef A_v1_0 cmr_type;
#define main cmr_main
#include "driver.hpp"
#undef main
int main(int count, char **words) { cmr_bug = count > 1 ? atoi(words[1]) : 0; return cmr_main(); }
"""


def built(folder):
    """Return the program with all bugs, compiled where nobody has compiled it before."""
    emitter = Mql4Emitter()
    files = {**emitter.support(), emitter.file_name(MADE.contract): emitter.text(MADE.contract, JUDGE.type)}
    own = {name: (Path(mql4.__file__).parent / name).read_text("utf-8") for name in ("shim.hpp", "driver.hpp")}
    files = {**{name: mql4.adapted(text) for name, text in files.items()}, **own}
    for number, bug in enumerate(BUGS.values(), start=1):
        files = bug.planted(files, number)
    program = folder / sha256(json.dumps(files).encode()).hexdigest()
    if not program.exists():
        making = folder / f"making-{os.getpid()}"
        making.mkdir(parents=True)
        for name, text in {**files, "main.cpp": MAIN}.items():
            (making / name).write_text(text, "utf-8")
        subprocess.run((mql4.compiler(os.environ), *mql4.OPTIONS, "-o", "program", "main.cpp"), cwd=making, check=True)
        (making / "program").rename(program)
    return program


@pytest.fixture(scope="module")
def asked(shared_cache, tmp_path_factory):
    if missing := mql4.unavailable(os.environ):
        pytest.skip(missing)
    program = built(shared_cache / "seeded-bugs")

    def answers(number, given):
        folder = tmp_path_factory.mktemp("asked")
        texts = [case.text for case in given]
        return exchanged([str(program), str(number)], texts, folder=folder, environ={}, timeout_s=60)

    return answers


@pytest.fixture(scope="module")
def right(asked):
    """Return the answers without a bug, which are right, by the text of the document."""
    answers = asked(0, GIVEN)
    assert judged(JUDGE, GIVEN, answers).failure is None
    return {case.text: answer for case, answer in zip(GIVEN, answers, strict=True)}


def test_there_are_enough():
    assert len(BUGS) >= 30


@pytest.mark.parametrize("name", BUGS)
def test_a_bug_in_mql4_is_found(asked, right, name):
    given = LARGE if "long text" in name else SMALL
    answers = asked(list(BUGS).index(name) + 1, given)
    changed = [pair for pair in zip(given, answers, strict=True) if pair[1] != right[pair[0].text]]
    assert judged(JUDGE, [case for case, _ in changed], [answer for _, answer in changed]).failure is not None


@pytest.mark.parametrize("name", OTHER_BUGS)
def test_a_bug_in_another_language_is_found(tmp_path, name):
    language = next(one for one in languages() if one.target == name.partition(":")[0])
    if missing := language.runtime.unavailable(os.environ):
        pytest.skip(missing)
    file, old, new = OTHER_BUGS[name]
    files = dict(language.files(MADE.found, MADE.contract, JUDGE.type))
    assert files[file].count(old) == 1
    files[file] = files[file].replace(old, new)
    texts = [case.text for case in SMALL]
    answers = language.runtime.answers(MADE.contract, files, texts, folder=tmp_path, environment=os.environ, timeout=60)
    assert judged(MADE.judge, SMALL, answers).failure is not None
