"""Own rules for secrets without a form of their own: passwords, keys, connection strings, headers.

They guess from names, lengths and the disorder of values, so outside the strict level they only warn. Expressions are
RE2 with bounded repetitions on UTF-8 bytes, so that a search is linear whatever the file holds; what is left of a value
is cut out in Python.
"""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass

from cli_multi_rapid.gates.secret_words import (
    Meaning,
    entropy_bits,
    is_hex,
    is_key,
    is_password,
    is_placeholder,
    is_strong,
    is_uuid,
    is_wordy,
    meaning,
)

PASSWORD = "generic-password"  # noqa: S105  the name of a rule
API_KEY = "generic-api-key"
MESSAGES = {
    PASSWORD: "this looks like a password",
    API_KEY: "this looks like the key of a service",
    "generic-hex-key": "this looks like a key in hexadecimal",
    "aws-secret-key": "this looks like an AWS secret access key",
    "aws-access-key-id": "this looks like an AWS access key id",
    "azure-storage-key": "this looks like the key of an Azure account",
    "azure-shared-key": "this looks like a shared access key of Azure",
    "azure-client-secret": "this looks like the secret of an Azure application",
    "connection-password": "this looks like a password in a connection string",
    "url-password": "this looks like a password in a URL",
    "authorization-header": "this looks like the credentials of an Authorization header",
    "private-key-der": "this looks like a private key",
    "registry-auth": "this looks like the credentials of a registry",
}
"""What the generic rules say, by their ids."""

_TESTS = re.compile(
    r"(?i)(?:^|/)(?:tests?|__tests__|specs?|fixtures?|testdata|mocks?|examples?|samples?|docs?)/|(?:^|/)(?:test_|conftest)"
    r"|[_.-](?:test|spec)\.\w+$|(?:^|/)readme"
)
_AWS = re.compile(r"(?i)aws|secret_?-?access|secret_?-?key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A value as a rule found it: the text, what stands before it (a name, a scheme, a user), and the file's path."""

    text: str
    before: str = ""
    path: str = ""

    @property
    def in_tests(self) -> bool:
        """Tell whether it lies among tests, examples or documentation, where people make passwords up."""
        return _TESTS.search(self.path) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRule:
    """One rule: group `value` of its expression is the value, `before` what it follows; `judge` names its kind."""

    expression: bytes
    judge: Callable[[Value], str]
    value: int = 1
    before: int = 0


def named(value: Value) -> str:
    """Return the rule for a value that is assigned to a name, or nothing where it is no secret."""
    sense, text = meaning(value.before), value.text
    if sense is Meaning.PASSWORD:
        return PASSWORD if _is_used_password(value) or is_key(text) else ""
    if sense is Meaning.NOTHING:
        return ""
    strong = is_strong(value.before)
    if is_uuid(text):
        return API_KEY if sense is Meaning.KEY and strong else ""
    if re.fullmatch(r"[A-Za-z0-9+/]{86}==", text):
        return "azure-storage-key"
    if re.fullmatch(r"[A-Za-z0-9/+]{40}", text) and not is_hex(text) and _AWS.search(value.before):
        return "aws-secret-key" if entropy_bits(text) >= 4.0 and not is_wordy(text) else ""
    if is_key(text):
        return "generic-hex-key" if is_hex(text) else API_KEY
    made = strong and len(text) >= 10 and not is_hex(text) and _is_used_password(value)
    return API_KEY if made and sense is Meaning.KEY else ""


def _is_used_password(value: Value) -> bool:
    if not is_password(value.text):
        return False
    return not value.in_tests or (entropy_bits(value.text) >= 3.2 and not is_wordy(value.text))


def _in_connection(value: Value) -> str:
    name = value.before.lower()
    if name in ("sharedaccesskey", "sig"):
        plain = re.sub(r"%[0-9A-Fa-f]{2}", "+", value.text)
        return "azure-shared-key" if len(plain) >= 40 and entropy_bits(plain) >= 4.0 and is_key(plain) else ""
    if name == "accountkey":
        return "azure-storage-key" if len(value.text) >= 40 and entropy_bits(value.text) >= 4.0 else ""
    if meaning(name) is Meaning.PASSWORD:
        return "connection-password" if _is_used_password(value) or is_key(value.text) else ""
    return API_KEY if is_key(value.text) else ""


def _in_url(value: Value) -> str:
    text = re.sub(r"%[0-9A-Fa-f]{2}", "%", value.text)
    if text == value.before or is_placeholder(value.text) or text.isdigit():
        return ""
    return "url-password" if _is_used_password(value) or is_key(text) else ""


def _header(value: Value) -> str:
    if value.before.lower() == "basic":
        return "authorization-header" if _is_pair(value) else ""
    return "authorization-header" if is_key(value.text) else ""


def _registry(value: Value) -> str:
    return "registry-auth" if _is_pair(value) else ""


def _is_pair(value: Value) -> bool:
    """Tell whether a value is `user:password` in base 64."""
    try:
        pair = base64.b64decode(value.text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return False
    user, colon, password = pair.partition(":")
    if not colon or not pair.isprintable() or is_placeholder(password) or user == password:
        return False
    return is_password(password) or is_key(password)


def _plainly(value: Value) -> str:
    return PASSWORD if _is_used_password(value) or is_key(value.text) else ""


def _der(value: Value) -> str:
    return "private-key-der" if entropy_bits(value.text) >= 4.0 else ""


def _client_secret(value: Value) -> str:
    return "azure-client-secret" if entropy_bits(value.text) >= 3.5 else ""


def _access_key_id(value: Value) -> str:
    return "aws-access-key-id" if entropy_bits(value.text) >= 3.0 and not is_placeholder(value.text) else ""


_URL = rb"(?i)\b[a-z][a-z0-9+.-]{1,30}://([^\s:/@\"'`<>]{0,80}):([^\s/@\"'`<>]{3,200})@[\w\[.-]"
_CONNECTION = (
    rb"(?i)[?&;\"'][ \t]{0,4}(?:user )?(password|passwd|passphrase|pwd|sharedaccesskey|accountkey|sig|secret"
    rb"|client_?secret|api_?key|access_?token|token)[ \t]{0,2}=[ \t]{0,2}([^&;\"'`\s<>{}$]{6,400})"
)
_HEADER = rb"(?i)\b(basic|bearer) {1,2}([A-Za-z0-9+/._~-]{16,512}={0,2})"
_REGISTRY = rb"(?i)(?:\"auth\"[ \t]{0,4}:[ \t]{0,4}\"|\b_auth[ \t]{0,4}=[ \t]{0,4}\"?)([A-Za-z0-9+/]{12,512}={0,2})"
_COMMAND = (
    rb"(?i)(?:\bidentified[ \t]{1,4}(?:with[ \t]{1,4}[\w\"']{1,40}[ \t]{1,4})?by"
    rb"|\bconvertto-securestring(?:[ \t]{1,4}-string)?|\bsshpass[ \t]{1,4}-p)[ \t]{0,4}[\"']([^\"'\s]{6,128})[\"']"
)
# How the DER form of RSA keys (PKCS 1 and 8), of elliptic curves (PKCS 8 and SEC 1) and of Ed25519 begins in base 64.
_DER = (
    rb"(?:^|[^A-Za-z0-9+/])((?:MII[A-Za-z0-9+/]{2}[AQgw]IBA(?:AK|DA)|MI[GH][A-Za-z0-9+/]AgEAMBMGBy|MHcCAQEEI"
    rb"|MC4CAQAwBQYDK2VwBCIEI)(?:[A-Za-z0-9+/]|\\[nr]){40,512})"
)
_CLIENT_SECRET = rb"(?:^|[^\w~.-])([A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34})(?:[^\w~.-]|$)"
_ACCESS_KEY_ID = rb"(?:^|[^A-Za-z0-9])((?:AKIA|ASIA)[A-Z2-7]{16})(?:[^A-Za-z0-9]|$)"

RULES: tuple[SecretRule, ...] = (
    SecretRule(expression=_URL, before=1, value=2, judge=_in_url),
    SecretRule(expression=_CONNECTION, before=1, value=2, judge=_in_connection),
    SecretRule(expression=_HEADER, before=1, value=2, judge=_header),
    SecretRule(expression=_REGISTRY, judge=_registry),
    SecretRule(expression=_COMMAND, judge=_plainly),
    SecretRule(expression=_DER, judge=_der),
    SecretRule(expression=_CLIENT_SECRET, judge=_client_secret),
    SecretRule(expression=_ACCESS_KEY_ID, judge=_access_key_id),
)
"""Rules with an expression of their own. Names and their values are found by `secret_assignments`."""
