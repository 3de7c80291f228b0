"""What is no secret, and has been taken for one: each kind as files made at run time."""

import base64
import string
import uuid
from collections.abc import Callable, Mapping
from hashlib import sha256, sha512
from random import Random

from secrets_carriers import Carried
from secrets_kinds import ALNUM, HEX, based64, text

Maker = Callable[[Random], Carried]


def _lines(path: str, *lines: str) -> Carried:
    return Carried(path, ("\n".join(lines) + "\n").encode())


def _placeholders(random: Random) -> Carried:
    word = random.choice(("changeme", "change-me-now", "your-password-here", "<password>", "xxxxxxxxxxxx", "********"))
    return _lines(
        "config.py",
        f'password = "{word}"',
        'api_key = "YOUR_API_KEY_GOES_HERE"',
        'token = "insert-token-here-1"',
        'secret = "replace_with_a_real_secret_2"',
        'access_token = "0000000000000000000000000000000a"',
    )


def _environment(random: Random) -> Carried:
    name = text(random, 6, string.ascii_uppercase)
    return _lines(
        "settings.py",
        f'password = os.environ["{name}_PASSWORD"]',
        f'API_KEY = os.getenv("{name}_API_KEY")',
        f'token = environ.get("{name}_TOKEN_2", "")',
        f'secret_key = config("{name}_SECRET_KEY")',
    )


def _shell_environment(random: Random) -> Carried:
    name = text(random, 6, string.ascii_uppercase)
    return _lines(
        "run.sh",
        f"export PASSWORD=${{{name}_PASSWORD}}",
        f'API_KEY="${name}_API_KEY"',
        'TOKEN="$(pass show token2)"',
        f"DB_PASSWORD=${{DB_PASSWORD:?set {name}}}",
        'SECRET_KEY="$(cat /run/secrets/key1)"',
        'curl -u "$USER:$PASSWORD1" x',
    )


def _templates(random: Random) -> Carried:
    name = text(random, 5, string.ascii_lowercase)
    return _lines(
        "values.yaml",
        f"password: {{{{ .Values.{name}.password1 }}}}",
        f"token: ${{{{ secrets.{name.upper()}_TOKEN1 }}}}",
        f'apiKey: "%{{{name}_api_key_1}}"',
        f"secretKey: !Ref {name.title()}SecretKey1",
        'password: "#{db_password1}"',
        f"client_secret: vault:secret/data/{name}#client_secret1",
        "db_password: op://vault/database1/password",
    )


def _kubernetes(random: Random) -> Carried:
    name = text(random, 6, string.ascii_lowercase)
    return _lines(
        "deploy.yaml",
        "env:",
        "- name: DB_PASSWORD",
        "  valueFrom:",
        "    secretKeyRef:",
        f"      name: {name}-credentials-v2",
        "      key: database-password1",
        "imagePullSecrets:",
        f"- name: registry-{name}1",
        f"secretName: {name}-tls-2024",
    )


def _npm_lock(random: Random) -> Carried:
    integrity = "sha512-" + based64(random, 64)
    return _lines(
        "package-lock.json",
        '{"packages": {"node_modules/token-types": {',
        ' "version": "4.2.1",',
        ' "resolved": "https://packages.example.org/token-types/-/token-types-4.2.1.tgz",',
        f' "integrity": "{integrity}"',
        "}}}",
    )


def _yarn_lock(random: Random) -> Carried:
    return _lines(
        "yarn.lock",
        "password-prompt@^1.1.2:",
        '  version "1.1.3"',
        f'  resolved "https://registry.yarnpkg.com/prompt/-/prompt-1.1.3.tgz#{text(random, 40, HEX)}"',
        f"  integrity sha512-{based64(random, 64)}",
    )


def _python_lock(random: Random) -> Carried:
    return _lines(
        "poetry.lock",
        "[[package]]",
        'name = "secretstorage"',
        "files = [",
        f'  {{file = "SecretStorage-3.3.3.tar.gz", hash = "sha256:{text(random, 64, HEX)}"}},',
        "]",
        f'content-hash = "{text(random, 64, HEX)}"',
        f"cryptography==42.0.1 --hash=sha256:{text(random, 64, HEX)}",
    )


def _go_and_cargo(random: Random) -> Carried:
    return _lines(
        "go.sum",
        f"github.com/a/token v1.2.3 h1:{based64(random, 32)}",
        f"github.com/a/token v1.2.3/go.mod h1:{based64(random, 32)}",
        f'checksum = "{text(random, 64, HEX)}"',
    )


def _uuids(random: Random) -> Carried:
    ids = [str(uuid.UUID(int=random.getrandbits(128), version=4)) for _ in range(4)]
    return _lines(
        "ids.json", f'{{"id": "{ids[0]}", "request_id": "{ids[1]}",', f' "tokenId": "{ids[2]}", "keyId": "{ids[3]}"}}'
    )


def _git_shas(random: Random) -> Carried:
    return _lines(
        "versions.yaml",
        f"commit: {text(random, 40, HEX)}",
        f'rev: "{text(random, 40, HEX)}"',
        f"uses: actions/checkout@{text(random, 40, HEX)}",
        f"cache_key: {text(random, 40, HEX)}",
        f"secret_revision: {text(random, 40, HEX)}",
    )


def _digests(random: Random) -> Carried:
    data = random.randbytes(9)
    return _lines(
        "sums.txt",
        f"{sha256(data).hexdigest()}  token.tar.gz",
        f"sha512={sha512(data).hexdigest()}",
        f"md5: {text(random, 32, HEX)}",
        f'etag: "{text(random, 32, HEX)}"',
        f"image: app@sha256:{text(random, 64, HEX)}",
        f"key_fingerprint: SHA256:{based64(random, 32)[:43]}",
    )


def _public_keys(random: Random) -> Carried:
    body = "\n".join(text(random, 64, ALNUM + "+/") for _ in range(6))
    return _lines(
        "keys.pem",
        "-----BEGIN PUBLIC KEY-----",
        body,
        "-----END PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE-----",
        body,
        "-----END CERTIFICATE-----",
        f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{based64(random, 32)[:43]} me@host",
        f'public_key = "{based64(random, 32)}"',
        f"ssh_public_key: ssh-rsa AAAAB3NzaC1yc2E{text(random, 300, ALNUM + '+/')}= me",
    )


def _password_hashes(random: Random) -> Carried:
    return _lines(
        "users.yaml",
        f'password: "$2b$12${text(random, 53, ALNUM + "./")}"',
        f"password_hash: {text(random, 64, HEX)}",
        f'password: "$argon2id$v=19$m=65536,t=3,p=4${based64(random, 16)[:22]}${based64(random, 32)[:43]}"',
        f'passwd: "$6${text(random, 8)}${text(random, 86, ALNUM + "./")}"',
        f'"password": "pbkdf2_sha256$600000${text(random, 22)}${based64(random, 32)}"',
    )


def _code(random: Random) -> Carried:
    name = text(random, 5, string.ascii_lowercase)
    return _lines(
        "login.py",
        f"password = self.{name}.get_password(user1)",
        "def login(user: str, password: str = '') -> None:",
        f"token = request.headers['X-{name.title()}-Token2']",
        "api_key = settings.api_key_of_the_service2",
        "if password == other.password2: raise ValueError",
        f"secret_key=derive_key({name}, 32),",
        "token: Annotated[str, Header()] = None",
        f'PASSWORD_FIELD = "user_{name}_password"',
        f"private_key = load_pem(path / '{name}1.pem')",
    )


def _typescript(random: Random) -> Carried:
    name = text(random, 5, string.ascii_lowercase)
    return _lines(
        "login.ts",
        f"const token = await this.{name}Service.fetchToken2(user);",
        "password: string | undefined;",
        f"const apiKey = process.env.{name.upper()}_API_KEY2!;",
        "export const SET_PASSWORD = 'auth/SET_PASSWORD2';",
        f'<input type="password" name="{name}Password1" placeholder="Enter password" />',
        "secret: Joi.string().required(),",
        "const passwordSelector = '#login-form2 input[name=password]';",
        "tokenType: 'urn:ietf:params:oauth:token-type:jwt2'",
    )


def _words(random: Random) -> Carried:
    return _lines(
        "messages.json",
        '{"password": "Enter your password", "password.required": "The password is required.",',
        ' "password_reset": "Reset-password-2-steps", "forgotPassword": "forgot_password?",',
        ' "token.expired": "errors.auth.token.expired",',
        f' "secret": "secret-santa-{random.randint(1, 99)}", "apiKeyLabel": "API-Schlüssel des Dienstes"}}',
    )


def _names(random: Random) -> Carried:
    number = random.randint(1, 99)
    return _lines(
        "app.yaml",
        "sort_key: created-at-descending",
        f"partition_key: customer-id-{number}",
        "primary_key: order_line_item_id2",
        "foreign_key: fk_orders_customers_2",
        f"secret_name: production/database-{number}/credentials",
        "token_url: https://login.example.org/oauth2/token",
        f"key_file: /etc/ssl/private/server-{number}.key",
        "tokenizer: bert-base-uncased-v2-wordpiece",
        f"key_vault: kv-weu-prod-{number}-main",
        "password_file: /run/secrets/database-password1",
        "keyboard_layout: us-international-2-dead",
    )


def _limits(random: Random) -> Carried:
    return _lines(
        "limits.toml",
        f"max_tokens = {random.randint(10**15, 10**16)}",
        "password_min_length = 12",
        'token_ttl = "1209600 seconds"',
        f'token_expires_at = "2024-01-0{random.randint(1, 9)}T12:30:45.123456Z"',
        "api_key_rotation = '90d'",
        "secret_version = 3",
    )


def _data_uris(random: Random) -> Carried:
    image = base64.b64encode(b"\x89PNG\r\n\x1a\n" + random.randbytes(900)).decode()
    return _lines(
        "style.css",
        f".key {{ background: url(data:image/png;base64,{image}) }}",
        f"@font-face {{ src: url(data:font/woff2;base64,{based64(random, 600)}) }}",
    )


def _notebook(random: Random) -> Carried:
    image = base64.b64encode(b"\x89PNG\r\n\x1a\n" + random.randbytes(3000)).decode()
    return _lines("a.ipynb", f'{{"outputs": [{{"data": {{"image/png": "{image}\\n"}}, "metadata": {{}}}}]}}')


def _fixtures(random: Random) -> Carried:
    name = text(random, 5, string.ascii_lowercase)
    return _lines(
        "tests/test_login.py",
        'user = User(password="secret123")',
        'api_key = "test-api-key-123456"',
        'token = "fake-token-for-tests-1"',
        f'client.login("{name}", password="pass1234")',
        'headers = {"Authorization": "Bearer test-token-12345678"}',
        'secret = "s3cr3t"',
        'DATABASE_URL = "postgres://user:password@localhost:5432/test"',
        'PASSWORD = "hunter2"',
    )


def _documented(random: Random) -> Carried:
    example = "EXAMPLE"
    return _lines(
        "README.md",
        f"aws_access_key_id = AKIAIOSFODNN7{example}",
        f"aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY{example}KEY",
        "psql postgres://user:password@host:5432/db",
        'export API_KEY="<your api key 1>"',
        f"Password = P@ssw0rd{random.choice(('', '!', '1'))}",
        "curl -H 'Authorization: Bearer $TOKEN1' https://api.example.org",
        "token: abcdef.0123456789abcdef",
    )


def _urls(random: Random) -> Carried:
    name = text(random, 6, string.ascii_lowercase)
    return _lines(
        "urls.txt",
        f"https://{name}.example.org:8443/path@2x.png",
        f"git@github.com:{name}/token.git",
        f"ssh://git@example.org:2222/{name}.git",
        f"https://{name}@dev.azure.com/{name}/_git/app",
        "postgres://localhost:5432/app",
        f"http://user:${{PASSWORD1}}@{name}:80/",
        "jdbc:postgresql://db:5432/app?user=app&password=${DB_PASSWORD1}",
        "Server=.;Database=app;Password={0};Encrypt=true",
    )


def _dotnet(random: Random) -> Carried:
    token = text(random, 16, HEX)
    return _lines(
        "App.config",
        f'<assemblyIdentity name="Auth.Tokens" publicKeyToken="{token}" culture="neutral"/>',
        f'<add type="A.B, A, Version=4.0.0.0, Culture=neutral, PublicKeyToken={token}" />',
        f"<PackageId>Token.Auth.{token[:4]}</PackageId>",
        '<validation key="Password" minRequiredPasswordLength="8" passwordFormat="Hashed2" />',
    )


def _sql(random: Random) -> Carried:
    return _lines(
        "schema.sql",
        "CREATE TABLE users (password VARCHAR(255) NOT NULL, api_key CHAR(64), token TEXT DEFAULT '');",
        f"CREATE INDEX idx_token_{random.randint(1, 99)} ON sessions (token, expires_at);",
        "UPDATE users SET password = @password2 WHERE id = :id;",
    )


def _minified(random: Random) -> Carried:
    body = 'function(t){return t.key==="Enter"||t.password!==e.secret_'
    parts = [f"{text(random, 1, 'abcdef')}.token{n}={body}{n}}}" for n in range(400)]
    return _lines("vendor.min.js", ",".join(parts) + f";//# sourceMappingURL=vendor.{text(random, 20, HEX)}.js.map")


def _binary(random: Random) -> Carried:
    return Carried("data.bin", b"\x00\x01" + random.randbytes(20_000))


_PROSE = "the password must have a token and the secret key of every api is rotated by whoever owns it"


def _prose(random: Random) -> Carried:
    words = _PROSE.split()
    text_ = " ".join(random.choice(words) for _ in range(400))
    return _lines(
        "notes.md", text_, "Password: at least 12 characters, 1 digit", "Your token: see the mail of 2024-01-31"
    )


def _regexes(random: Random) -> Carried:
    return _lines(
        "rules.py",
        r'PASSWORD = re.compile(r"^(?=.*\d)(?=.*[a-z]).{8,64}$")',
        r'token_pattern = "[A-Za-z0-9_-]{20,40}"',
        f'secret_regex = "(?i)secret[_-]?key{random.randint(1, 9)}"',
        r"api_key: '^[0-9a-f]{32}$'",
    )


NEGATIVES: Mapping[str, Maker] = {
    "placeholders": _placeholders,
    "environment, python": _environment,
    "environment, shell": _shell_environment,
    "templates and references": _templates,
    "kubernetes references": _kubernetes,
    "package-lock.json": _npm_lock,
    "yarn.lock": _yarn_lock,
    "python lock files": _python_lock,
    "go.sum, Cargo.lock": _go_and_cargo,
    "uuids": _uuids,
    "git commits": _git_shas,
    "checksums": _digests,
    "public keys, certificates": _public_keys,
    "password hashes": _password_hashes,
    "code, python": _code,
    "code, typescript": _typescript,
    "messages": _words,
    "names of keys": _names,
    "limits and times": _limits,
    "data URIs": _data_uris,
    "notebook": _notebook,
    "test fixtures": _fixtures,
    "documentation": _documented,
    "URLs without password": _urls,
    ".NET assemblies": _dotnet,
    "SQL": _sql,
    "minified code": _minified,
    "binary": _binary,
    "prose": _prose,
    "regular expressions": _regexes,
}
"""Kinds of files without a secret, by name."""
