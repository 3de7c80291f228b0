"""9. Declared secrets are masked in logs, reports and database, in plain, base64, URL, JSON and hex form."""

import base64
import json
import sys
from secrets import token_hex
from urllib.parse import quote, quote_plus

import pytest

LEAK = '''\
"""Says a secret in every way it knows, to both streams, whole and in two halves with a pause between them."""

import base64, json, os, sys, time
from urllib.parse import quote, quote_plus

secret = os.environ["TOKEN"]
raw = secret.encode()
texts = [secret, json.dumps(secret), json.dumps(secret, ensure_ascii=False), quote(secret), quote(secret, safe=""),
         quote_plus(secret), raw.hex(), raw.hex().upper(), repr({"token": secret})]
for before in ("", "a", "ab"):
    texts.append(base64.b64encode(before.encode() + raw + b"more").decode())
    texts.append(base64.urlsafe_b64encode(before.encode() + raw).decode())
for stream in (sys.stdout, sys.stderr):
    for text in texts:
        stream.write(f"it is {text} !\\n")
        stream.flush()
for text in (texts[0], texts[6], texts[-1]):
    for stream in (sys.stdout, sys.stderr):
        stream.write(text[:9])
        stream.flush()
        time.sleep(0.02)
        stream.write(text[9:] + "\\n")
        stream.flush()
with open(os.path.join(os.environ["CMR_OUT"], "leak.txt"), "w", encoding="utf-8") as file:
    file.write(sys.argv[1] + secret)
if sys.argv[2:] == ["raise"]:
    raise ValueError(f"token={secret}")
'''
JUDGE = '''\
"""Finds a secret and puts it into every text of its findings."""

import json, os, sys

secret = os.environ["TOKEN"]
place = {"artifactLocation": {"uri": f"src/{secret}.py"}, "region": {"startLine": 1, "snippet": {"text": secret}}}
result = {"ruleId": f"rule-{secret}", "level": "error", "message": {"text": f"found {secret}"},
          "locations": [{"physicalLocation": place}]}
driver = {"name": f"judge {secret}", "rules": [{"id": f"rule-{secret}", "help": {"text": secret}}]}
json.dump({"version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": [result]}]}, sys.stdout)
print("judging with", secret, file=sys.stderr)
'''


@pytest.fixture
def secret():
    """Return a secret whose forms all differ: with a quote, a slash, a blank, a plus, a percent and an umlaut."""
    return f'{token_hex(8)}"/ +%ü&{token_hex(8)}'


def forms(secret):
    """Return what must not be found anywhere, each made without the program's help; halves, too."""
    raw = secret.encode()
    found = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], quote(secret)}
    found |= {quote(secret, safe=""), quote_plus(secret), raw.hex(), raw.hex().upper(), secret[:16], secret[-16:]}
    for offset in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            found.add(encode(bytes(offset) + raw + bytes(3))[4:-8].decode())
    return [form.encode() for form in found]


def leaks(data, secret):
    return [form for form in forms(secret) if form in data]


@pytest.fixture
def project(sandbox):
    """A project whose steps and gates tell a secret wherever they can.

    The tests fail where one of the forms is not masked (hexadecimal, URL, base64 at another offset), where each chunk
    of output is masked by itself, and where outputs, reasons and findings are recorded as they are.
    """
    python = json.dumps(sys.executable)
    sandbox.write("leak.py", LEAK)
    sandbox.write("judge.py", JUDGE)
    sandbox.phase("p", f"""\
secrets: [TOKEN]
inputs: {{x: {{type: string, default: ""}}}}
steps:
  - id: output
    run: [{python}, leak.py, "it is "]
    env: {{TOKEN: "${{{{ secrets.TOKEN }}}}"}}
    produces: {{leak: leak.txt}}
    outputs: {{text: "${{{{ artifacts.leak }}}}", json: "${{{{ toJSON(artifacts.leak) }}}}"}}
  - {{id: told, run: [echo, "${{{{ steps.output.outputs.text }}}}", "${{{{ steps.output.outputs.json }}}}"]}}
  - id: expression
    run: [{python}, leak.py, "{{"]
    produces: {{bad: leak.txt}}
    outputs: {{text: "${{{{ fromJSON(artifacts.bad) }}}}"}}
    continue-on-error: true
  - {{id: traceback, run: [{python}, leak.py, "", raise], continue-on-error: true}}
  - {{id: shell, run: 'printf "%s\\n" "$TOKEN" >&2; exit 3', continue-on-error: true}}
gates: [judged, listed]
""")  # fmt: skip
    sandbox.write("config/compliance-gates.yaml", f"""\
schema: cmr/gates@v1
gates:
  judged: {{check: command, format: sarif, run: [{python}, judge.py]}}
  listed: {{check: denylist, patterns: [{{id: assigned, pattern: 'password = .*', message: do not}}]}}
""")  # fmt: skip
    return sandbox


def test_no_byte_of_a_secret_is_stored_or_said(project, secret, state):
    project.write("settings.ini", f"password = {secret}\n")  # a file of the project, which a gate finds
    runs = [(("run-phase", "p", "--verbose"), 1), (("run-phase", "p", "--json"), 1)]
    runs += [(("validate-compliance",), 1), (("run-phase", "p", "--input", f"x={secret}"), 2)]
    said = {}
    for arguments, code in runs:
        said[arguments] = project.started(*arguments, env={"TOKEN": secret})
        assert said[arguments].code == code, said[arguments].err
    run = json.loads(said["run-phase", "p", "--json"].out)["run"]["run"]
    looks = [("status",), ("status", run), ("status", run, "--json"), ("logs", run, "--json")]
    looks += [("generate-report", run), ("generate-report", run, "--format", "json"), ("generate-report", "last")]
    said |= {arguments: project.cmr(*arguments) for arguments in looks}
    for arguments, done in said.items():
        assert done.code == dict(runs).get(arguments, 0), done.err
        assert not leaks((done.out + done.err).encode(), secret), arguments
    made_by_steps = {path for path in state.rglob("leak.txt") if leaks(path.read_bytes(), secret)}
    assert len(made_by_steps) == 6, "what a step writes itself is its own; the test would see it"
    stored = {path for folder in (state, project.root / ".cmr") for path in folder.rglob("*") if path.is_file()}
    assert len(list((project.root / ".cmr" / "reports").iterdir())) == 3
    assert [path for path in stored - made_by_steps if leaks(path.read_bytes(), secret)] == []


def test_what_is_masked_can_still_be_read(project, secret):
    """A mask stands where the secret stood, and all else is as it was."""
    project.cmr("run-phase", "p", env={"TOKEN": secret})
    log = project.cmr("logs", "last", "traceback").out.splitlines()
    assert log[-1] == "ValueError: token=***"
    assert log[:3] == ["it is *** !", 'it is "***" !', 'it is "***" !']
    assert log.count("***") == 4, "the whole ones and the hexadecimal ones, in halves"
    assert project.cmr("logs", "last", "told").out == 'it is *** "it is ***"\n'
    steps = project.cmr("status", "last", "--json").data()["phases"][0]["steps"]
    assert steps[0]["outputs"] == {"text": "it is ***", "json": '"it is ***"'}
    gates = project.cmr("status", "last", "--json").data()["gates"]
    assert [finding["message"] for finding in gates[0]["findings"]] == ["found ***"]
