"""Secrets made at run time: valid in form and checksum, known to nobody, the same for the same seed."""

import base64
import json
import string
import uuid
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
_LOWER = string.ascii_lowercase + string.digits
_UPPER = string.ascii_uppercase + string.digits
_URL = ALNUM + "-_"
_BASE32 = string.ascii_uppercase + "234567"
_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_SYLLABLES = (
    "ba", "ce", "di", "fo", "gu", "ka", "lo", "mi", "ne", "ru", "sa", "te", "vo", "wi", "za", "dor", "fel", "gan",
    "hul", "mar", "nol", "per", "ran", "sil", "tor",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A secret and the name it is usually kept under. A `block` stands as it is, on lines of its own."""

    name: str
    value: str
    block: bool = False


Maker = Callable[[Random], Secret]


def text(random: Random, size: int, alphabet: str = ALNUM) -> str:
    return "".join(random.choices(alphabet, k=size))


def mixed(random: Random, size: int, alphabet: str = ALNUM) -> str:
    """Return random characters; where the alphabet has letters and digits, at least one of each."""
    made = text(random, size, alphabet)
    while not alphabet.isalpha() and not (any(map(str.isdigit, made)) and any(map(str.isalpha, made))):
        made = text(random, size, alphabet)
    return made


def based64(random: Random, size_bytes: int) -> str:
    return base64.b64encode(random.randbytes(size_bytes)).decode()


def crc62(body: str, size: int = 6) -> str:
    """Return the CRC-32 of a text in base 62, padded with zeros: the checksum of GitHub's and npm's tokens."""
    rest, digits = zlib.crc32(body.encode()), ""
    while rest:
        rest, digit = divmod(rest, 62)
        digits = _BASE62[digit] + digits
    return digits.rjust(size, "0")


def password(random: Random) -> str:
    """Return a password as people make them, or as a program makes them."""
    if random.random() < 0.5:
        word = "".join(random.sample(_SYLLABLES, 3))
        return f"{word.capitalize()}{random.choice('!#%*')}{random.randint(10, 9999)}"
    made = mixed(random, random.randint(12, 20))
    at = random.randint(2, len(made) - 2)
    return made[:at] + random.choice("!#%*+?") + made[at:]


def pem(random: Random, label: str = "RSA ", lines: int = 24) -> str:
    body = "\n".join(text(random, 64, ALNUM + "+/") for _ in range(lines))
    return f"-----BEGIN {label}PRIVATE {'KEY'}-----\n{body}\n-----END {label}PRIVATE {'KEY'}-----"


def simple(name: str, prefix: str, size: int, alphabet: str = ALNUM, *, end: str = "") -> Maker:
    """Return the maker of secrets that are a prefix, random characters, and perhaps an end."""

    def make(random: Random) -> Secret:
        return Secret(name=name, value=f"{prefix}{mixed(random, size, alphabet)}{end}")

    return make


def checked(name: str, prefix: str, size: int) -> Maker:
    """Return the maker of secrets that end in the CRC-32 of their body, as those of GitHub and npm."""

    def make(random: Random) -> Secret:
        body = text(random, size)
        return Secret(name=name, value=f"{prefix}{body}{crc62(body)}")

    return make


def _aws_pair(random: Random) -> Secret:
    id_ = "AKIA" + text(random, 16, _BASE32)
    key = f"AWS_ACCESS_KEY_ID={id_}\nAWS_SECRET_ACCESS_KEY={based64(random, 30)}"
    return Secret(name="aws", value=key, block=True)


def _slack(random: Random) -> Secret:
    numbers = "-".join(text(random, 12, "123456789") for _ in range(2))
    return Secret(name="slack_token", value=f"xoxb-{numbers}-{mixed(random, 24)}")


def _slack_hook(random: Random) -> Secret:
    parts = f"T{text(random, 9, _UPPER)}/B{text(random, 10, _UPPER)}/{mixed(random, 24)}"
    return Secret(name="slack_webhook", value=f"https://hooks.slack.com/services/{parts}")


def _telegram(random: Random) -> Secret:
    return Secret(name="telegram_bot_token", value=f"{text(random, 9, '123456789')}:AA{mixed(random, 33, _URL)}")


def _openai(random: Random) -> Secret:
    sign = "T3Blbk" + "FJ"
    return Secret(name="openai_api_key", value=f"sk-proj-{mixed(random, 74, _URL)}{sign}{mixed(random, 74, _URL)}")


def _grafana(random: Random) -> Secret:
    body = f"glsa_{mixed(random, 32)}"
    return Secret(name="grafana_token", value=f"{body}_{zlib.crc32(body.encode()):08x}")


def _jwt(random: Random) -> Secret:
    def part(data: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")

    claims = {"sub": text(random, 10, string.digits), "name": text(random, 12), "iat": random.randint(10**9, 2 * 10**9)}
    head, signature = part({"alg": "HS256", "typ": "JWT"}), text(random, 43, _URL)
    return Secret(name="jwt", value=f"{head}.{part(claims)}.{signature}")


def _private_key(random: Random) -> Secret:
    return Secret(name="key", value=pem(random), block=True)


def _service_account(random: Random) -> Secret:
    account = {
        "type": "service_account",
        "project_id": f"project-{text(random, 6, string.digits)}",
        "private_key_id": text(random, 40, HEX),
        "private_key": pem(random, "") + "\n",
        "client_email": f"robot@project-{text(random, 6, string.digits)}.iam.gserviceaccount.com",
    }
    return Secret(name="account", value=json.dumps(account, indent=1), block=True)


def _database_url(random: Random) -> Secret:
    return Secret(name="DATABASE_URL", value=f"postgres://app:{mixed(random, 18)}@db.internal.net:5432/app")


def _service_bus(random: Random) -> Secret:
    place = f"Endpoint=sb://{text(random, 8, string.ascii_lowercase)}.servicebus.windows.net/"
    key = f"SharedAccessKeyName=RootManage;SharedAccessKey={based64(random, 32)}"
    return Secret(name="service_bus", value=f"{place};{key}")


def _vault(random: Random) -> Secret:
    return Secret(name="vault_token", value=f"hvs.{mixed(random, 92, _URL)}")


def _terraform(random: Random) -> Secret:
    return Secret(name="tfe_token", value=f"{mixed(random, 14)}.atlasv1.{mixed(random, 66, _URL)}")


def _sendgrid(random: Random) -> Secret:
    return Secret(name="sendgrid_api_key", value=f"SG.{mixed(random, 22, _URL)}.{mixed(random, 43, _URL)}")


def _airtable(random: Random) -> Secret:
    return Secret(name="airtable_token", value=f"pat{mixed(random, 14)}.{mixed(random, 64, HEX)}")


def _heroku(random: Random) -> Secret:
    return Secret(name="heroku_api_key", value=str(uuid.UUID(int=random.getrandbits(128), version=4)))


def _pypi(random: Random) -> Secret:
    start = "pypi-AgEIcHlwaS5vcmc" + "C"
    return Secret(name="pypi_token", value=f"{start}{mixed(random, 150, _URL)}")


KNOWN: Mapping[str, Maker] = {
    "github classic": checked("github_token", "ghp_", 30),
    "github oauth": checked("github_oauth", "gho_", 30),
    "github fine-grained": simple("github_token", "github_pat_", 82, ALNUM + "_"),
    "npm": checked("npm_token", "npm_", 30),
    "pypi": _pypi,
    "gitlab": simple("gitlab_token", "glpat-", 20, _URL),
    "gitlab runner": simple("runner_token", "glrt-", 20, _URL),
    "aws id and secret": _aws_pair,
    "gcp api key": simple("google_key", "AIza", 35),
    "gcp service account": _service_account,
    "slack bot": _slack,
    "slack webhook": _slack_hook,
    "stripe": simple("stripe_key", "sk_live_", 24),
    "openai": _openai,
    "anthropic": simple("anthropic_key", "sk-ant-api03-", 93, _URL, end="AA"),
    "hugging face": simple("hf_token", "hf_", 34, string.ascii_letters),
    "sendgrid": _sendgrid,
    "twilio": simple("twilio_key", "SK", 32, HEX),
    "telegram": _telegram,
    "shopify": simple("shopify_token", "shpat_", 32, HEX),
    "digitalocean": simple("do_token", "dop_v1_", 64, HEX),
    "databricks": simple("databricks_token", "dapi", 32, HEX),
    "docker hub": simple("docker_token", "dckr_pat_", 27, _URL),
    "doppler": simple("doppler_token", "dp.pt.", 43),
    "grafana": _grafana,
    "hashicorp terraform": _terraform,
    "hashicorp vault": _vault,
    "heroku": _heroku,
    "linear": simple("linear_key", "lin_api_", 40),
    "mailchimp": simple("mailchimp_api_key", "", 32, HEX, end="-us12"),
    "airtable": _airtable,
    "new relic": simple("newrelic_key", "NRAK-", 27, _UPPER),
    "perplexity": simple("perplexity_key", "pplx-", 48),
    "pulumi": simple("pulumi_token", "pul-", 40, HEX),
    "rubygems": simple("gem_token", "rubygems_", 48, HEX),
    "private key": _private_key,
    "jwt": _jwt,
    "database url": _database_url,
    "azure service bus": _service_bus,
}
"""Kinds with a form of their own, by name."""

_PASSWORD_NAMES = ("db_password", "DB_PASSWORD", "adminPassword", "smtp_passwd", "root_pwd", "passphrase")
_KEY_NAMES = ("api_key", "PAYMENT_API_KEY", "clientSecret", "auth_token", "access_token", "signing_secret", "apiToken")
_HEX_NAMES = ("encryption_key", "SECRET_KEY", "hmac_secret", "sessionSecret", "master_key", "cookie_secret")


def _password(random: Random) -> Secret:
    return Secret(name=random.choice(_PASSWORD_NAMES), value=password(random))


def _api_key(random: Random) -> Secret:
    alphabet = random.choice((ALNUM, _LOWER, _URL))
    value = mixed(random, random.choice((20, 24, 32, 40, 48)), alphabet).strip("-_")
    return Secret(name=random.choice(_KEY_NAMES), value=value)


def _hex_key(random: Random) -> Secret:
    return Secret(name=random.choice(_HEX_NAMES), value=mixed(random, random.choice((32, 40, 64, 128)), HEX))


def _lone_aws(random: Random) -> Secret:
    name = random.choice(("AWS_SECRET_ACCESS_KEY", "aws_secret_key", "awsSecretAccessKey", "secret_access_key"))
    return Secret(name=name, value=based64(random, 30))


def _azure_key(random: Random) -> Secret:
    return Secret(name=random.choice(("STORAGE_KEY", "storageAccountKey", "account_key")), value=based64(random, 64))


def _azure_string(random: Random) -> Secret:
    account = text(random, 10, _LOWER)
    value = f"DefaultEndpointsProtocol=https;AccountName={account};AccountKey={based64(random, 64)};"
    return Secret(name="storage_connection", value=f"{value}EndpointSuffix=core.windows.net")


def _azure_shared(random: Random) -> Secret:
    place = f"HostName={text(random, 8, string.ascii_lowercase)}.azure-devices.net"
    value = f"{place};SharedAccessKeyName=owner;SharedAccessKey={based64(random, 32)}"
    return Secret(name="hub_connection", value=value)


def _jdbc(random: Random) -> Secret:
    value = f"jdbc:postgresql://db.internal.net:5432/app?user=app&password={mixed(random, 16)}"
    return Secret(name="jdbc_url", value=value)


def _connection_string(random: Random) -> Secret:
    value = f"Server=db.internal.net;Database=app;User Id=app;Password={mixed(random, 16)};Encrypt=true"
    return Secret(name="connection_string", value=value)


def _url(random: Random) -> Secret:
    scheme = random.choice(("postgresql+psycopg", "mssql", "oracle", "clickhouse", "sftp", "nats", "cassandra"))
    return Secret(name="service_url", value=f"{scheme}://app:{mixed(random, 16)}@service.internal.net:9000/app")


def _one_line_key(random: Random) -> Secret:
    return Secret(name="signing_key", value=pem(random, random.choice(("", "RSA ", "EC "))).replace("\n", "\\n"))


def _bare_key(random: Random) -> Secret:
    body = base64.b64encode(b"\x30\x82\x04\xa4\x02\x01\x00\x02\x82\x01\x01" + random.randbytes(600)).decode()
    return Secret(name="private_key", value=body)


def _basic(random: Random) -> Secret:
    pair = base64.b64encode(f"robot:{mixed(random, 16)}".encode()).decode()
    return Secret(name="authorization", value=f"Basic {pair}")


def _bearer(random: Random) -> Secret:
    return Secret(name="Authorization", value=f"Bearer {mixed(random, 40)}")


GENERIC: Mapping[str, Maker] = {
    "password": _password,
    "api key": _api_key,
    "hex key": _hex_key,
    "lone aws secret": _lone_aws,
    "azure storage key": _azure_key,
    "azure storage string": _azure_string,
    "azure shared access": _azure_shared,
    "jdbc password": _jdbc,
    "connection string": _connection_string,
    "url password": _url,
    "private key on one line": _one_line_key,
    "private key without marks": _bare_key,
    "basic authorization": _basic,
    "bearer authorization": _bearer,
}
"""Kinds that only their name, their length and their disorder give away, by name."""
