"""Own rules for secrets without a form of their own: passwords, generic keys, AWS and Azure keys.

They guess from a name, a length and the disorder of the value, so outside the strict level they only warn.
"""

import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

_ASSIGNED = r"['\"]?\s*(?::=|=>|[:=])\s*"
_PLACEHOLDER = re.compile(
    r"(?i)example|changeme|change[_-]me|placeholder|dummy|sample|redacted|your[_-]|password|passwd|secret|x{4,}|\*{3,}"
    r"|\.{3}|1234|abcd|\$\{|\$\(|\{\{|%\(|<[a-z]|test"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRule:
    """One rule: the first group of its expression is the value, which must also satisfy `likely`."""

    id: str
    expression: str
    message: str
    likely: Callable[[str], bool]


def entropy_bits(text: str) -> float:
    """Return the Shannon entropy of a text in bits per character."""
    size = len(text)
    return -sum(number / size * math.log2(number / size) for number in Counter(text).values()) if size else 0.0


def _is_password(value: str) -> bool:
    kinds = sum(any(test(char) for char in value) for test in (str.islower, str.isupper, str.isdigit))
    kinds += any(not char.isalnum() for char in value)
    return kinds >= 2 and entropy_bits(value) >= 2.75 and not _PLACEHOLDER.search(value)


def _is_key(value: str) -> bool:
    # Hexadecimal text has at most 4 bits a character, base 64 at most 6; words have neither digits nor disorder.
    least = 3.0 if re.fullmatch(r"[0-9a-fA-F-]+", value) else 3.5
    mixed = any(char.isdigit() for char in value) and any(char.isalpha() for char in value)
    return mixed and entropy_bits(value) >= least and not _PLACEHOLDER.search(value)


def _is_base64(value: str) -> bool:
    return entropy_bits(value) >= 4.0 and not _PLACEHOLDER.search(value)


RULES: tuple[SecretRule, ...] = (
    SecretRule(
        id="generic-password",
        expression=rf"(?i)(?:password|passwd|passphrase|\bpwd|_pwd)\w*{_ASSIGNED}['\"]([^'\"\s]{{8,128}})['\"]",
        message="this looks like a password",
        likely=_is_password,
    ),
    SecretRule(
        id="generic-api-key",
        expression=r"(?i)(?:api_?-?key|secret_?-?key|access_?-?key|private_?-?key|client_?-?secret|auth_?-?token"
        rf"|access_?-?token|\btoken|_token|\bsecret|_secret|_key)\w*{_ASSIGNED}['\"]?([\w+/=.-]{{16,256}})['\"]?(?:[\s,;)}}\]]|$)",
        message="this looks like the key of a service",
        likely=_is_key,
    ),
    SecretRule(
        id="aws-secret-key",
        expression=rf"(?i)\baws\w{{0,20}}(?:secret|sk)\w{{0,20}}{_ASSIGNED}['\"]?([A-Za-z0-9/+]{{40}})(?:[^A-Za-z0-9/+=]|$)",
        message="this looks like an AWS secret access key",
        likely=_is_base64,
    ),
    SecretRule(
        id="aws-access-key-id",
        expression=r"(?:^|[^A-Za-z0-9])((?:AKIA|ASIA)[A-Z2-7]{16})(?:[^A-Za-z0-9]|$)",
        message="this looks like an AWS access key id",
        likely=lambda value: entropy_bits(value) >= 3.0 and not _PLACEHOLDER.search(value),
    ),
    SecretRule(
        id="azure-storage-key",
        expression=r"(?i)\bAccountKey\s*=\s*([A-Za-z0-9+/]{86}==)",
        message="this looks like the key of an Azure storage account",
        likely=_is_base64,
    ),
)
"""From general to special: of several rules that match one value the last one names it."""
