"""One file: secrets in every format and disguise, no false alarms, and hostile files in bounded time and memory."""

import base64
import os
import time
from random import Random

import pytest
from secret_samples import HEX, LETTERS, github_token, mixed, private_key, text

from cli_multi_rapid.gates import secret_scan, secrets
from cli_multi_rapid.gates.secret_scan import MAX_LISTED, SecretScan
from cli_multi_rapid.gates.secrets import evaluate
from cli_multi_rapid.gates.sources import LIMIT_BYTES, Source
from cli_multi_rapid.model.gate import GateStatus, Level
from cli_multi_rapid.model.gate_settings import Check, GateSpec

SPEC = GateSpec(check=Check.SECRETS)
TOKEN = github_token()
WORD = "Kolumber!47"
KEY = mixed(32)


@pytest.fixture(scope="module")
def scan(shared_cache):
    """Return a function that scans one file: (rule, line, column, sure) of everything that is found."""
    scanner = SecretScan(secrets._scanner(str(shared_cache)))

    def run(path: str, content: str | bytes) -> list[tuple[str, int, int, bool]]:
        data = content if isinstance(content, bytes) else content.encode()
        found = scanner.file(Source(path, data)).sightings
        return [(one.finding.rule, one.finding.line, one.finding.column, one.sure) for one in found]

    return run


LINES = {
    ".env": f"PORT=1\nDB_PASSWORD={WORD}\n",
    ".env.production": f"A=1\nexport DB_PASSWORD='{WORD}'\n",
    "a.yaml": f"a:\n  password: {WORD}\n",
    "b.yml": f"a:\n  - name: DB_PASSWORD\n    value: {WORD}\n",
    "a.json": f'{{\n "password": "{WORD}"}}\n',
    "b.json": f'{{"environment": [\n{{"name": "DB_PASSWORD", "value": "{WORD}"}}]}}\n',
    "a.properties": f"a=1\nspring.datasource.password={WORD}\n",
    "a.toml": f'[a]\npassword = "{WORD}"\n',
    "a.ini": f"[a]\npassword = {WORD}  ; of the server\n",
    "a.ps1": f'#\n$Password = ConvertTo-SecureString "{WORD}" -AsPlainText -Force\n',
    "b.ps1": f'#\nConnect-Server -Password "{WORD}"\n',
    "a.xml": f"<a>\n<password>{WORD}</password></a>\n",
    "App.config": f'<a>\n<add key="DbPassword" value="{WORD}" /></a>\n',
    "strings.xml": f'<resources>\n<string name="db_password">{WORD}</string></resources>\n',
    "a.py": f'#\nos.environ["DB_PASSWORD"] = "{WORD}"\n',
    "b.py": f'#\npassword: str = "{WORD}"\n',
    "c.py": f'#\nif password == "{WORD}": pass\n',
    "a.js": f"//\nconst config = {{password: '{WORD}'}}\n",
    "a.go": f'//\npassword := "{WORD}"\n',
    "a.h": f'//\n#define PASSWORD "{WORD}"\n',
    "a.sql": f"--\nCREATE USER a IDENTIFIED BY '{WORD}';\n",
    "b.sql": f"--\nCREATE ROLE a WITH PASSWORD '{WORD}';\n",
    "a.sh": f"#\nsshpass -p '{WORD}' ssh a\n",
    "a.tf": f'#\nadmin_password = "{WORD}"\n',
    "a.mq4": f'//\ninput string Password = "{WORD}";\n',
    "Dockerfile": f"FROM a\nENV DB_PASSWORD={WORD}\n",
    "a.txt": f'{{\\"a\\":1}}\n"{{\\"password\\":\\"{WORD}\\"}}"\n',
}


@pytest.mark.parametrize("path", LINES)
def test_a_password_is_found_in_every_format(scan, path) -> None:
    found = scan(path, LINES[path])
    assert {(rule, sure) for rule, _, _, sure in found} == {("generic-password", False)}
    line = found[0][1]
    assert WORD in LINES[path].split("\n")[line - 1]


DISGUISED = {
    "plus.py": f'a = 1\ntoken = "{TOKEN[:14]}" + "{TOKEN[14:]}"\n',
    "implicit.py": f'a = 1\ntoken = (\n    "{TOKEN[:14]}"\n    "{TOKEN[14:]}"\n)\n',
    "lines.java": f'a;\nString a = "{TOKEN[:14]}"\n    + "{TOKEN[14:]}";\n',
    "a.sh": f"a=1\nTOKEN='{TOKEN[:14]}''{TOKEN[14:]}'\n",
    "a.php": f"<?php\n$a = '{TOKEN[:14]}' . '{TOKEN[14:]}';\n",
    "hex.py": f'a = 1\nx = bytes.fromhex("{TOKEN.encode().hex()}")\n',
    "base64.yaml": f"a: 1\nx: {base64.b64encode(TOKEN.encode()).decode()}\n",
    "element.xml": f"<a>\n<x>{TOKEN}</x></a>\n",
}


@pytest.mark.parametrize("path", DISGUISED)
def test_a_known_secret_in_disguise_is_as_sure_as_a_plain_one(scan, path) -> None:
    ((rule, line, _, sure),) = scan(path, DISGUISED[path])
    assert (rule, sure) == ("github-pat", True)
    assert line in (2, 3)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)  # fmt: skip
def test_encodings_with_and_without_a_mark(scan, encoding) -> None:
    content = f'Ünder = 1\nÜ = 2; password = "{WORD}"\ntoken = "{TOKEN}"\n'.encode(encoding)
    found = scan("a.txt", content)
    assert [(rule, line, column) for rule, line, column, _ in found] == [
        ("generic-password", 2, 20), ("github-pat", 3, 10),
    ]  # fmt: skip


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_line_ends(scan, ends) -> None:
    content = ends.join(["a", f'token = "{TOKEN}"', f'password = "{WORD}"', ""])
    assert [(rule, line) for rule, line, _, _ in scan("a.py", content)] == [("github-pat", 2), ("generic-password", 3)]


def test_a_minified_file_is_searched_whole(scan) -> None:
    filler = ";".join(f"function f{n}(a){{return a.k{n}}}" for n in range(4_000))
    found = scan("a.min.js", f'{filler};x={{password:"{WORD}",token:"{TOKEN}"}};{filler}')
    assert [(rule, line) for rule, line, _, _ in found] == [("generic-password", 1), ("github-pat", 1)]


def test_an_encoded_password_is_found_by_its_name(scan) -> None:
    coded = base64.b64encode(WORD.encode()).decode()
    found = scan("secret.yaml", f"data:\n  password: {coded}\n")
    assert {(rule, line) for rule, line, _, _ in found} == {("generic-password", 2)}


def test_one_value_is_one_finding(scan) -> None:
    assert len(scan("a.py", f'api_key = "{TOKEN}"\n')) == 1
    assert len(scan("a.txt", f"url = postgresql+x://app:{KEY}@db.internal/a?password={KEY}\n")) == 2


def test_a_private_key_on_one_line_is_found(scan) -> None:
    line = private_key().strip().replace("\n", "\\n")
    assert [(rule, sure) for rule, _, _, sure in scan("a.env", f'KEY="{line}"\n')] == [("private-key", True)]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("package-lock.json", f'"integrity": "sha512-{base64.b64encode(Random(1).randbytes(64)).decode()}"'),
        ("a.yaml", f"commit: {text(40, HEX)}"),
        ("a.json", '"request_id": "0f1e2d3c-4b5a-4978-8796-a5b4c3d2e1f0"'),
        ("a.json", f'"password": "$2b$12${text(53, LETTERS + "./")}"'),
        ("a.pem", f"-----BEGIN PUBLIC KEY-----\n{text(64)}\n-----END PUBLIC KEY-----"),
        ("a.py", f'public_key = "{text(43)}="'),
        ("a.py", 'password = os.environ["DB_PASSWORD2"]'),
        ("a.py", "token = fetch_token_2(user, password=password1)"),
        ("a.sh", 'TOKEN="$(pass show token2)"'),
        ("a.yaml", "password: ${{ secrets.PASSWORD1 }}"),
        ("a.yaml", "secretKeyRef: {name: db-1, key: password-2}"),
        ("a.txt", "http://user:${PASSWORD1}@host/"),
        ("a.txt", "postgres://user:password@localhost/db"),
        ("a.txt", "postgres://postgres:postgres@localhost/db"),
        ("a.txt", "https://host:8080/a@2x.png"),
        ("a.md", "Authorization: Bearer <your-token-here-1>"),
        ("a.md", "Authorization: Basic dXNlcjpwYXNzd29yZA=="),
        ("tests/test_a.py", 'login(password="Kolumber12")'),
        ("README.md", "password: Kolumber12"),
        ("a.md", "we pass `name=None1` here, and then pass \"other='x12'\" there"),
        ("a.py", "'user:pass', 'www.example.org:8080'"),
        ("a.css", f"src: url(data:font/woff2;base64,{base64.b64encode(Random(2).randbytes(300)).decode()})"),
    ],
)
def test_no_false_alarm(scan, path, line) -> None:
    assert scan(path, f"{line}\n") == []


def test_the_result_follows_from_path_and_bytes_alone(scan) -> None:
    content = "\n".join([*LINES.values(), *DISGUISED.values()])
    assert scan("a.txt", content) == scan("a.txt", content)


def test_a_file_with_very_many_secrets_has_a_short_result_with_the_whole_number(project) -> None:
    project.write("a.txt", "".join(f't = "{github_token(seed)}"\n' for seed in range(200)) * 50)
    begun = time.monotonic()
    result = evaluate("secrets", SPEC, project.given())
    assert time.monotonic() - begun < 30
    assert (result.status, result.findings_total) == (GateStatus.FAIL, MAX_LISTED + 1)
    (rest,) = [finding for finding in result.findings if finding.rule == "more-secrets"]
    assert rest.message == f"{10_000 - MAX_LISTED:,} more possible secrets in this file"


def test_what_is_too_much_to_look_at_is_said(project, monkeypatch) -> None:
    monkeypatch.setattr(secret_scan, "MAX_LIKELY", 3)
    monkeypatch.setattr(secret_scan, "MAX_CANDIDATES", 10)
    project.write("a.py", "".join(f'password = "{mixed(14, seed=seed)}!"\n' for seed in range(5)))
    result = evaluate("secrets", SPEC, project.given())
    assert [finding.rule for finding in result.findings].count("searched-in-part") == 1
    assert result.findings_total == 4
    project.write("a.py", 'password = "x"\n' * 11)
    result = evaluate("secrets", SPEC, project.given())
    assert [finding.rule for finding in result.findings] == ["searched-in-part"]
    assert result.status is GateStatus.WARN
    assert evaluate("secrets", SPEC, project.given(level=Level.STRICT)).status is GateStatus.FAIL


HOSTILE = {
    "quotes": b'"', "joints": b'"a" + ', "names": b"password='aaaa ", "keys": b"key key ", "tags": b'<a b="c">x',
    "pairs": b"name: token\n", "base64": base64.b64encode(bytes(range(32, 92))), "hexadecimal": b"41424344",
    "urls": b"a://b:c@d ",
    "slashes": b'"x\\\\\\" + "', "nothing": b" ", "zeros": b"\0", "noise": Random(1).randbytes(9_999),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_searched_in_linear_time(scan, name) -> None:
    piece = HOSTILE[name]
    content = piece * (700_000 // len(piece))
    begun = time.monotonic()
    assert {rule for rule, *_ in scan("a.txt", content)} <= {"searched-in-part"}
    assert time.monotonic() - begun < 20  # 0.1 to 1 s on an idle machine, minutes where it is not linear


@pytest.mark.skipif(os.name == "nt", reason="POSIX files")
def test_links_in_circles_pipes_binaries_and_a_file_of_more_than_50_mb(project) -> None:
    (project.root / "one").symlink_to("two")
    (project.root / "two").symlink_to("one")
    (project.root / "folder").mkdir()
    (project.root / "folder/loop").symlink_to(project.root, target_is_directory=True)
    os.mkfifo(project.root / "pipe")
    project.write("a.bin", b"\x7fELF\0\1" * 1_000 + Random(2).randbytes(1_000))
    project.write("a.txt", "fine\n")
    with (project.root / "large.bin").open("wb") as file:
        file.truncate(LIMIT_BYTES + 1)
    begun = time.monotonic()
    given = project.listing("one", "two", "folder/loop", "folder/loop/a.txt", "pipe", "a.bin", "a.txt", "large.bin")
    result = evaluate("secrets", SPEC, given)
    assert time.monotonic() - begun < 30
    assert [(finding.rule, finding.path) for finding in result.findings] == [("file-too-large", "large.bin")]
    assert (result.status, result.details["files"], result.details["passed_over"]) == (GateStatus.WARN, 3, 4)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_an_error(project) -> None:
    project.write("a.txt", "x").chmod(0)
    assert evaluate("secrets", SPEC, project.given()).status is GateStatus.ERROR
