"""All secrets here are made at run time: valid in form, known to nobody, and never written into the repository."""

import base64
import json
import os
import random
import string
from dataclasses import asdict, replace
from hashlib import sha256

import pytest
from secret_samples import HEX, LETTERS, github_token, pair, private_key, text

from cli_multi_rapid.gates import secrets, sources
from cli_multi_rapid.gates.secret_rules import MESSAGES
from cli_multi_rapid.gates.secrets import evaluate
from cli_multi_rapid.model.gate import GateStatus, Level, Severity
from cli_multi_rapid.model.gate_settings import Check, GateSpec

SPEC = GateSpec(check=Check.SECRETS)


def known() -> dict[str, str]:
    return {
        "github-pat": github_token(),
        "gitlab-pat": f"glpat-{text(20)}",
        "stripe-access-token": f"sk_live_{text(24)}",
        "slack-bot-token": f"xoxb-{text(12, '123456789')}-{text(13, '123456789')}-{text(24)}",
        "gcp-api-key": f"AIza{text(35)}",
    }


def unsure() -> dict[str, tuple[str, str]]:
    """A line for every own rule, and the secret in it."""
    password, key, hexadecimal = text(14, LETTERS + "!%"), text(32), text(64, HEX)
    aws, azure = text(40, LETTERS + "/+"), base64.b64encode(random.Random(3).randbytes(64)).decode()
    id_, shared = text(16, string.ascii_uppercase + "234567"), base64.b64encode(random.Random(5).randbytes(32)).decode()
    client = f"aB3{text(1, string.digits)}Q~{text(34)}"
    der = base64.b64encode(b"\x30\x82\x04\xa4\x02\x01\x00\x02\x82\x01\x01" + random.Random(6).randbytes(400)).decode()
    return {
        "generic-password": (f'db_password = "{password}"', password),
        "generic-api-key": (f"API_KEY={key}", key),
        "generic-hex-key": (f"encryption_key: {hexadecimal}", hexadecimal),
        "aws-secret-key": (f"aws_secret_access_key = {aws}", aws),
        "aws-access-key-id": (f'id = "AKIA{id_}"', f"AKIA{id_}"),
        "azure-storage-key": (f"storage_key = {azure}", azure),
        "azure-shared-key": (f"hub = 'HostName=h.azure-devices.net;SharedAccessKey={shared}'", shared),
        "azure-client-secret": (f"x: {client}", client),
        "connection-password": (f"url = jdbc:sqlserver://db;user=a;password={key}", key),
        "url-password": (f"queue = nats://app:{key}@queue.internal:4222/", key),
        "authorization-header": (f"Authorization: Basic {pair()}", pair()),
        "private-key-der": (f"x = {der}", der),
        "registry-auth": (f'"auth": "{pair()}"', pair()),
    }


def judge(project, *, level: Level = Level.STANDARD, exclude: tuple[str, ...] = ()):
    return evaluate("secrets", GateSpec(check=Check.SECRETS, exclude=exclude), project.given(level=level))


@pytest.mark.parametrize("rule", known())
def test_a_known_kind_of_secret_blocks(project, rule) -> None:
    project.write("src/a.py", f'import os\ntoken = "{known()[rule]}"\n')
    result = judge(project)
    (finding,) = result.findings
    assert (finding.rule, finding.path, finding.line, finding.severity) == (rule, "src/a.py", 2, Severity.HIGH)
    assert finding.column == len('token = "') + 1
    assert (result.status, result.summary) == (GateStatus.FAIL, "1 possible secret in 1 file")
    assert result.fix.startswith("src/a.py:2: remove it, revoke it")
    assert result.tool == "kingfisher" and result.tool_version and len(result.rules_digest) == 64


def test_nothing_secret_passes(project) -> None:
    project.write("a.py", "x = 1\n")
    result = judge(project)
    assert (result.status, result.summary, result.findings) == (GateStatus.PASS, "no secret in 1 file", ())


def test_a_private_key_is_found_at_its_first_line(project) -> None:
    project.write("id_rsa", f"\n{private_key()}")
    (finding,) = judge(project).findings
    assert (finding.rule, finding.line) == ("private-key", 2)


@pytest.mark.parametrize(
    "path", ["package-lock.json", "a.svg", "node_modules/x/a.js", "yarn.lock", ".env", "venv/a.py"]
)
def test_files_that_scanners_pass_over_by_name_are_scanned(project, path) -> None:
    project.write(path, f'"token": "{github_token()}"\n')
    assert judge(project).status is GateStatus.FAIL


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_encodings(project, encoding) -> None:
    project.write("a.txt", f"first\ntoken = '{github_token()}'\n".encode(encoding))
    assert [finding.line for finding in judge(project).findings] == [2]


def test_a_secret_in_a_binary_file_is_found(project) -> None:
    project.write("a.bin", b"\x00\x01\x02\xff" * 20 + f" {github_token()} ".encode() + b"\x00\x01")
    one = judge(project).findings[0].fingerprint
    project.write("a.bin", b"\x00\x01\x02\xff" * 20 + f" {github_token(8)} ".encode() + b"\x00\x01")
    assert judge(project).findings[0].fingerprint != one


@pytest.mark.parametrize(
    "comment", ["# kingfisher:ignore", "# gitleaks:allow", "# nosec noqa", "# pragma: allowlist secret"]
)
def test_a_comment_waives_nothing(project, comment) -> None:
    project.write("a.py", f'token = "{github_token()}"  {comment}\n')
    assert judge(project).status is GateStatus.FAIL


@pytest.mark.parametrize("rule", unsure())
def test_what_only_looks_secret_warns_and_blocks_in_strict(project, rule) -> None:
    project.write("config.ini", f"[a]\n{unsure()[rule][0]}\n")
    result = judge(project)
    assert [(finding.rule, finding.line) for finding in result.findings] == [(rule, 2)]
    assert (result.status, result.findings[0].severity) == (GateStatus.WARN, Severity.INFO)
    strict = judge(project, level=Level.STRICT)
    assert (strict.status, strict.findings[0].severity) == (GateStatus.FAIL, Severity.MEDIUM)


@pytest.mark.parametrize(
    "line",
    [
        'password = "changeme123"',
        'password = "${DB_PASSWORD}"',
        "password = os.environ['DB_PASSWORD']",
        'password = "password1234"',
        'api_key = "your-api-key-goes-here-1"',
        "api_key = settings.api_key_of_the_service",
        'token = "xxxxxxxxxxxxxxxxxxxxxxxx1"',
        'sort_key = "alphabetical-order-by-name"',
        'aws_access_key_id = "AKIAIOSFODNN7EXAMPLE"',
        "password: str",
        'token_type = "authorization_bearer"',
    ],
)
def test_placeholders_and_words_are_left_alone(project, line) -> None:
    project.write("a.py", f"{line}\n")
    assert judge(project, level=Level.STRICT).findings == ()


def test_every_own_rule_is_seeded() -> None:
    assert set(MESSAGES) == set(unsure())


def test_no_result_holds_a_secret_or_its_plain_hash(project) -> None:
    values = [*known().values(), *(value for _, value in unsure().values())]
    project.write("a.txt", "\n".join([*known().values(), *(line for line, _ in unsure().values()), private_key()]))
    said = json.dumps(asdict(judge(project, level=Level.STRICT)))
    for value in values:
        assert value not in said
        assert base64.b64encode(value.encode()).decode() not in said
        assert sha256(value.encode()).hexdigest() not in said


def test_a_fingerprint_follows_its_line_and_belongs_to_its_value(project) -> None:
    project.write("a.py", f'token = "{github_token()}"\n')
    before = judge(project).findings[0].fingerprint
    project.write("a.py", f'\n\n# moved\ntoken  =  "{github_token()}"\n')
    assert judge(project).findings[0].fingerprint == before
    project.write("a.py", f'token = "{github_token(8)}"\n')
    assert judge(project).findings[0].fingerprint != before


def test_excluded_files_are_left_out(project) -> None:
    project.write("tests/data.txt", github_token())
    project.write("a.py", "x")
    assert judge(project, exclude=("tests/**",)).status is GateStatus.PASS


def test_nothing_to_scan_is_an_error(project) -> None:
    assert judge(project).status is GateStatus.ERROR
    project.write("a.py", "x")
    result = judge(project, exclude=("**",))
    assert (result.status, result.summary) == (GateStatus.ERROR, "there is no file to scan")


def test_unreadable_files_are_an_error_that_names_them(project) -> None:
    project.write("a.py", "x")
    result = evaluate("secrets", SPEC, project.listing("a.py", "n" * 400))
    assert result.status is GateStatus.ERROR
    assert "cannot be read: nnn" in result.summary
    assert result.fix


@pytest.mark.skipif(os.name == "nt", reason="POSIX files")
def test_links_and_pipes_are_not_followed(project) -> None:
    (project.aside / "outside").write_text(github_token())
    project.write("a.py", "x")
    (project.root / "link").symlink_to(project.aside / "outside")
    os.mkfifo(project.root / "pipe")
    result = judge(project)
    assert (result.status, result.details["passed_over"]) == (GateStatus.PASS, 2)


def test_a_file_that_is_too_large_is_named_and_blocks_in_strict(project, monkeypatch) -> None:
    monkeypatch.setattr(sources, "LIMIT_BYTES", 10)
    project.write("large.txt", "x" * 11)
    result = judge(project)
    assert (result.status, result.findings[0].rule) == (GateStatus.WARN, "file-too-large")
    assert judge(project, level=Level.STRICT).status is GateStatus.FAIL


def test_a_scanner_that_fails_is_an_error(project, monkeypatch) -> None:
    class BrokenScanner:
        rules = ()

        def scan(self, _data: bytes, *, timeout: float) -> list[object]:
            raise RuntimeError("native failure")

    monkeypatch.setattr(secrets, "_scanner", lambda _cache: BrokenScanner())
    project.write("a.py", "x")
    result = judge(project)
    assert (result.status, result.summary) == (GateStatus.ERROR, "the scanner failed on a.py: RuntimeError")


def test_a_cache_that_cannot_be_made_is_an_error(project) -> None:
    project.write("a.py", "x")
    given = replace(project.given(), cache=str(project.write("file", "x")))
    result = evaluate("secrets", SPEC, given)
    assert result.status is GateStatus.ERROR
    assert "cannot start" in result.summary
