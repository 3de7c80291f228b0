"""Who uses the program, and whether it is a step."""

import getpass
import os
import pwd
import subprocess
import sys

from cli_multi_rapid.system.users import system_user, tagged_ancestors

SCRIPT = "from cli_multi_rapid.system.users import *; print(system_user(), sorted(tagged_ancestors()))"


def said(*command, **variables):
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **variables})
    return done.stdout.strip()


def test_the_environment_does_not_say_who_somebody_is(monkeypatch):
    before = system_user()
    monkeypatch.setenv("LOGNAME", "somebody")
    assert getpass.getuser() == "somebody"
    assert system_user() == before == pwd.getpwuid(os.getuid()).pw_name


def test_a_number_without_a_name(monkeypatch):
    def unknown(number):
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert system_user() == str(os.getuid())


def test_what_somebody_above_was_started_with():
    outside = tagged_ancestors()
    hidden = f"env -u CMR_TAG {sys.executable} -c '{SCRIPT}'"
    assert said("sh", "-c", f"{hidden}; true", CMR_TAG="RUN:p/x") == f"{system_user()} {sorted(outside | {'RUN:p/x'})}"
