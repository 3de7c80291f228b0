"""Which arguments of a command are code."""

import shlex

import pytest

from cli_multi_rapid.engine.interpreters import code_arguments

X = "${{ x }}"


def marked(command: str) -> list[str]:
    """Return the arguments with an expression that count as code; `X`, `Y` and `Z` in the command are expressions."""
    argv = [part.replace("X", X).replace("Y", "${{ y }}").replace("Z", "${{ z }}") for part in shlex.split(command)]
    found = {i for i in code_arguments(argv) if i < len(argv)}
    names = {X: "X", "${{ y }}": "Y", "${{ z }}": "Z"}
    return [name for i in sorted(found) for expression, name in names.items() if expression in argv[i]]


@pytest.mark.parametrize(
    "command",
    [
        "python -c X", "python3.11 -c 'print(X)'", "/usr/bin/python3 -I -c X", "python -Ic X", "pypy3 -c X", "py -c X",
        "python.exe -c X", "'C:\\Python\\python.exe' -c X", "python X", "python -u X", "python -W ignore X",
        "python -m X",
        "python -W X run.py", "python -cprint(X)",
        "bash -c X", "bash -euo pipefail -c X", "bash -ec X", "sh -lc 'echo X'", "zsh -c X", "dash X", "bash X",
        "bash -- X",
        "bash +o posix X", "bash --rcfile X y.sh", "fish --command X", "bash -ceuo pipefail X",
        "perl -e X", "perl -ne X", "perl -i.bak -pe X", "perl -e 1 -e X", "perl X", "ruby -e X", "ruby -rjson -e X",
        "node -e X", "node --eval X", "node --eval=X", "node -p X", "node -pe X", "node X", "node --require X a.js",
        "deno eval X", "php -r X", "lua -e X",
        "pwsh -Command X", "pwsh -c X", "powershell -NoProfile -EncodedCommand X",
        "pwsh -NoProfile -Command Get-Item X",
        "pwsh -File X", "pwsh X", "powershell.exe -ExecutionPolicy Bypass X", "PowerShell -command X",
        "cmd /c X", "cmd.exe /C dir X", "awk X", "awk -F : X", "gawk -e X",
        "env python -c X", "env A=1 B=2 bash -c X", "sudo -u me sh -c X", "nice -n 5 python -c X", "timeout 5 bash X",
        "xargs -n1 bash -c X", "env sudo nice bash -c X", "uv run python -c X", "poetry run python X",
        "find . -exec sh -c X ;",
        "env A=Y bash -c X",
        "'${{ shell }}' -c X", "'${{ shell }}' --eval X",
    ],
)  # fmt: skip
def test_code(command: str) -> None:
    assert marked(command) == ["X"]


@pytest.mark.parametrize(
    "command",
    [
        "echo X", "X", "pytest -q X", "ruff check -- X", "git -c user.name=X commit", "rsync -e ssh X", "tar -c X",
        "grep -e X",
        "python run.py X", "python -c 'import sys' X -e Y", "python -m pytest --cov-report=json:X/c.json",
        "python -m pytest -p X",
        "bash run.sh X -c Y", "bash -c 'echo \"$1\"' name X", "sh -eu -c 'ls \"$1\"' _ X", "perl -e 'print 1' X",
        "node a.js X -e Y",
        "pwsh -File a.ps1 X -Command Y", "awk '{print}' X", "env A=X make", "sudo make X",
        "timeout X pytest", "env A=X python run.py Y", "/opt/tools/mybash -c X", "pythonic -c X", "'${{ tool }}' X",
        "cmdtool /c X",
    ],
)  # fmt: skip
def test_data(command: str) -> None:
    assert marked(command) == []


def test_everything_after_the_command_of_powershell_and_cmd_is_code() -> None:
    assert marked("pwsh -Command a X Y") == ["X", "Y"]
    assert marked("cmd /s /c a X Y") == ["X", "Y"]


def test_short_and_empty_commands() -> None:
    for argv in ([], [""], ["bash"], ["python", "-c"], ["env"], ["bash", "--"], ["perl", "-e"]):
        assert all(i <= len(argv) for i in code_arguments(argv))
