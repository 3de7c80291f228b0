"""Signatures by SSH keys, made and checked by ssh-keygen.

A public key is the text of one line of a `.pub` file: its type, its content in base64, and a comment.
"""

import binascii
import os
import re
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from cli_multi_rapid.errors import SignatureFailed, ToolMissing
from cli_multi_rapid.system.environment import find_program

_TIMEOUT_S = 60.0
_KEY = re.compile(
    r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)|sk-ssh-ed25519@openssh\.com"
    r"|sk-ecdsa-sha2-nistp256@openssh\.com) ([A-Za-z0-9+/]+={0,2})(?: ([^\n\r\0]*))?"
)
_MAGIC = b"SSHSIG"
_SIGNER = "signer"


def is_public_key(text: str) -> bool:
    """Tell whether a text is a public key of a type that can sign."""
    found = _KEY.fullmatch(text.strip())
    content = _decoded(found[2]) if found else b""
    return found is not None and _field(content, 0) == found[1].encode()


def key_id(public_key: str) -> str:
    """Return how ssh-keygen names a public key: ``SHA256:`` and its hash."""
    return _id(_decoded(public_key.split()[1]))


def comment_of(public_key: str) -> str:
    """Return the comment of a public key, often the e-mail address of its owner."""
    return " ".join(public_key.split()[2:])


class Signatures:
    """Signs texts and checks signatures. `namespace` tells what they are for.

    Args:
        namespace: what signatures are for; one that was made for something else is none.
        environ: where ssh-keygen is looked for (PATH) and finds an agent.
        avoid: a folder whose programs do not count.
    """

    def __init__(self, namespace: str, *, environ: Mapping[str, str], avoid: Path | None = None) -> None:
        self._namespace = namespace
        self._environ = environ
        self._avoid = avoid

    def sign(self, text: str, key_file: Path) -> str:
        """Return the signature of a text by a private key, or by the agent where the file holds a public one.

        Raises:
            SignatureFailed: the key cannot be used; nobody is asked for a passphrase.
            ToolMissing: there is no ssh-keygen.
        """
        ended = self._run("sign", "-f", str(key_file), "-n", self._namespace, given=text)
        if ended.returncode != 0:
            raise SignatureFailed(f"{key_file}: {_complaint(ended.stderr)}")
        return ended.stdout.decode("ascii", "replace").strip()

    def signer(self, text: str, signature: str, keys: Sequence[str]) -> str:
        """Return which of the public keys has signed a text, as `key_id` names it; nothing if none of them has.

        Raises:
            ToolMissing: there is no ssh-keygen.
        """
        signing = _signing_key(signature)
        found = [key for key in keys if is_public_key(key) and signing and _decoded(key.split()[1]) == signing]
        if not found:
            return ""
        import tempfile

        kind, content = found[0].split()[:2]
        with tempfile.TemporaryDirectory(prefix="cli-multi-rapid-") as folder:
            allowed, signed = Path(folder, "allowed"), Path(folder, "signature")
            allowed.write_text(f'{_SIGNER} namespaces="{self._namespace}" {kind} {content}\n', "utf-8")
            signed.write_text(signature + "\n", "utf-8")
            ended = self._run(
                "verify", "-f", str(allowed), "-I", _SIGNER, "-n", self._namespace, "-s", str(signed), given=text
            )
        return key_id(found[0]) if ended.returncode == 0 else ""

    def _run(self, what: str, *arguments: str, given: str) -> "subprocess.CompletedProcess[bytes]":
        program = find_program("ssh-keygen", self._environ.get("PATH", ""), avoid=self._avoid)
        if program is None:
            raise ToolMissing(
                "ssh-keygen, which signs approvals and checks their signatures, is not installed",
                hint="install OpenSSH's client programs",
            )
        try:
            return subprocess.run(
                (program, "-Y", what, *arguments), input=given.encode(), capture_output=True, check=False,
                timeout=_TIMEOUT_S, start_new_session=True,  # without a terminal there is nobody to ask
                env={**self._environ, "SSH_ASKPASS_REQUIRE": "never", "LC_ALL": "C"},
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as failed:
            raise ToolMissing(f"ssh-keygen did not do its work: {failed}", where=program) from failed


def _signing_key(signature: str) -> bytes:
    """Return the public key that a signature names, or nothing if it is none."""
    lines = [line.strip() for line in signature.strip().splitlines()]
    if len(lines) < 3 or lines[0] != "-----BEGIN SSH SIGNATURE-----" or lines[-1] != "-----END SSH SIGNATURE-----":
        return b""
    content = _decoded("".join(lines[1:-1]))
    return _field(content, len(_MAGIC) + 4) if content.startswith(_MAGIC) else b""


def _field(content: bytes, at: int) -> bytes:
    """Return a field of SSH's binary formats: its length in four bytes, then its content."""
    length = int.from_bytes(content[at : at + 4], "big")
    found = content[at + 4 : at + 4 + length]
    return found if len(found) == length else b""


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _id(content: bytes) -> str:
    return "SHA256:" + b64encode(sha256(content).digest()).decode().rstrip("=")


def _complaint(stderr: bytes) -> str:
    """Return what ssh-keygen complains of in one printable line, its last."""
    lines = [line.strip(" @") for line in os.fsdecode(stderr).splitlines() if line.strip(" @")]
    last = lines[-1] if lines else "it cannot be used"
    return "".join(char if char.isprintable() else "?" for char in last)[:300]
