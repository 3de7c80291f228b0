"""Names that promise a secret, and values that look like one."""

import string
from random import Random

import pytest
from secret_samples import HEX, LETTERS, mixed, text

from cli_multi_rapid.gates.secret_words import (
    Meaning,
    entropy_bits,
    is_key,
    is_password,
    is_placeholder,
    is_uuid,
    meaning,
)


@pytest.mark.parametrize(
    ("sense", "names"),
    [
        (
            Meaning.PASSWORD,
            "password DB_PASSWORD dbPassword userPass smtp_pass passwd rootpwd passphrase a.password x-passcode",
        ),
        (
            Meaning.KEY,
            "api_key apiKey apikey X-Api-Key client_secret clientSecret AccountKey SECRET_KEY_BASE credential key2",
        ),
        (Meaning.TOKEN, "token authToken GITHUB_TOKEN tokens access-token"),
        (Meaning.NOTHING, "user bypass compass monkey keyboard tokenizer passwordless hotkey"),
        (Meaning.NOTHING, "password_hash passwordHash PASSWORD_FIELD passwordMinLength passwordResetUrl key_sha256"),
        (
            Meaning.NOTHING,
            "primary_key foreignKey sort_key cache_key public_key publicKeyToken nextPageToken csrf_token",
        ),
        (Meaning.NOTHING, "keyId key_name secretKeyRef secret_name token_url tokenType keyVault S3Key secret_revision"),
    ],
)
def test_what_a_name_says(sense, names) -> None:
    assert {name: meaning(name) for name in names.split()} == dict.fromkeys(names.split(), sense)


PASSWORDS = ["Kolumber!47", "x7#mPq2z", "gr33nHorse+Wagon", "Zauber%2031", "9xKf?mm2Lq", "tr0ub4dor&3"]


@pytest.mark.parametrize("value", PASSWORDS)
def test_passwords(value) -> None:
    assert is_password(value)


@pytest.mark.parametrize(
    "value",
    [
        "short1!",
        "changeme123",
        "P@ssw0rd!",
        "Passw0rd2024",
        "s3cr3t-value",
        "${DB_PASSWORD}",
        "$DB_PASSWORD",
        "%PASS%",
        "{{ password1 }}",
        "<password1>",
        "your-password-1",
        "xxxxxxxx1",
        "********",
        "12345678",
        "abcd1234!",
        "qwertz123",
        "enter_your_pass1",
        "password",
        "PASSWORD1",
        "user_name_2",
        "reset-step-2",
        "auth/SET_VALUE",
        "camelCaseName2",
        "two words 12!",
        "name=value12!",
        "os.environ['X1']",
        "get_value(1)",
        "/run/secrets/db1",
        "~/keys/one1!",
        "config.json1.yaml",
        "db.example.org",
        "vault:secret/a1!",
        "op://vault/item1",
        "!Ref Value1",
        "test1234!",
        "fake-value1",
        f"$2b$12${text(53, LETTERS + './')}",
        f"pbkdf2_sha256$600000${text(22)}$x",
        f"sha256:{text(64, HEX)}",
        "{SSHA}abc123",
        "a" * 129,
        "aaaaaaa1",
        "http://a.b/c1!",
        "2024-01-31T12:00:00",
    ],
)
def test_no_passwords(value) -> None:
    assert not is_password(value)


@pytest.mark.parametrize("size", [20, 24, 32, 40, 64])
@pytest.mark.parametrize(
    "alphabet", [LETTERS, LETTERS + "+/", LETTERS + "-_", HEX], ids=["letters", "base64", "url", "hex"]
)
def test_random_characters_are_keys(size, alphabet) -> None:
    if alphabet == HEX and size < 32:
        size = 32
    found = sum(is_key(mixed(size, alphabet, seed=seed)) for seed in range(300))
    assert found >= 285


@pytest.mark.parametrize(
    "value",
    [
        "short1key",
        "1234567890123456",
        "2024-01-31T12:30:45.123",
        "created-at-descending",
        "order_line_item_id2",
        "urn:ietf:params:oauth:token-type:jwt2",
        "bert-base-uncased-v2-wordpiece",
        "us-international-2-dead",
        "com.example.service.KeyProvider2",
        "https://example.org/a1b2c3d4e5f6",
        "/etc/ssl/private/server-12.key",
        "your-api-key-goes-here-1",
        "test-key-a1b2c3d4e5",
        "EXAMPLEa1b2c3d4e5f6g7h8i9j0kExample",
        "0123456789abcdef0123456789abcdef",
        "deadbeefdeadbeefdeadbeefdeadbeef",
        "xxxxxxxxxxxxxxxxxxxxxxx1",
        f"{text(8, HEX)}...{text(8, HEX)}",
        f"ssh-rsa-{mixed(40)}",
        f"AAAAB3NzaC1yc2E{mixed(40)}",
        f"MIIBIjANBg{mixed(60)}",
        f"sha512-{mixed(86)}==",
        f"h1:{mixed(43)}=",
        f"{mixed(20, HEX)}",
        "abcdefghijklmnopqrstuvwxyz",
        "keyboard.interrupt.handler",
        "settings.api_key_of_the_service2",
    ],
)
def test_no_keys(value) -> None:
    assert not is_key(value)


def test_letters_alone_are_a_key_only_where_they_are_no_words() -> None:
    assert is_key("".join(Random(5).choices(string.ascii_lowercase, k=40)))
    assert not is_key("theserverisratherslowtonightperhaps")


def test_placeholders_uuids_and_disorder() -> None:
    assert is_placeholder("insert-it-here")
    assert is_placeholder("qwertyuiop")
    assert not is_placeholder("Kolumber!47")
    assert is_uuid("{0F1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0}")
    assert not is_uuid("0f1e2d3c4b5a69788796a5b4c3d2e1f0")
    assert (entropy_bits(""), entropy_bits("aaaa"), entropy_bits("abcd")) == (0.0, 0.0, 2.0)
