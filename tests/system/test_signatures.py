"""Signatures by SSH keys: made by ssh-keygen, and believed only where the right key made them for the right purpose."""

import os
import shutil
import subprocess

import pytest

from cli_multi_rapid.errors import SignatureFailed, ToolMissing
from cli_multi_rapid.system.signatures import Signatures, comment_of, is_public_key, key_id

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")


@pytest.fixture
def make_key(tmp_path):
    """Make a key pair; return the file of the private key, and the public one."""

    def make(name, *, kind="ed25519", passphrase=""):
        file = tmp_path / name
        command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", f"{name}@example.org", "-f", str(file)]
        subprocess.run(command, check=True)
        return file, file.with_name(f"{name}.pub").read_text().strip()

    return make


@pytest.fixture
def signatures():
    return Signatures("purpose", environ=os.environ)


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_who_signed_a_text(make_key, signatures, kind):
    (file, public), (_, other) = make_key("a", kind=kind), make_key("b")
    assert is_public_key(public)
    assert comment_of(public) == "a@example.org"
    listed = subprocess.run(["ssh-keygen", "-lf", f"{file}.pub"], capture_output=True, text=True, check=True).stdout
    assert key_id(public) == listed.split()[1]
    signature = signatures.sign("ä text\n", file)
    assert signatures.signer("ä text\n", signature, [other, public]) == key_id(public)
    assert signatures.signer("another text\n", signature, [other, public]) == ""
    assert signatures.signer("ä text\n", signature, [other]) == ""
    assert signatures.signer("ä text\n", signature, []) == ""


def test_a_signature_for_another_purpose_is_none(make_key, signatures):
    file, public = make_key("a")
    signature = Signatures("other", environ=os.environ).sign("text", file)
    assert signatures.signer("text", signature, [public]) == ""


def test_what_is_no_signature(make_key, signatures):
    file, public = make_key("a")
    right = signatures.sign("text", file)
    head, *body, end = right.split("\n")
    other = body[-1][:-6] + ("A" if body[-1][-6] != "A" else "B") + body[-1][-5:]
    bodies = [[], ["%%%"], ["QUJD"], [*body[:-1], other], body[:1]]
    for wrong in ("", "x", *("\n".join([head, *lines, end]) for lines in bodies)):
        assert signatures.signer("text", wrong, [public]) == ""


@pytest.mark.parametrize(
    "text",
    ["", "ssh-ed25519", "ssh-ed25519 %", "ssh-ed25519 QUJD", "ssh-dss AAAAB3NzaC1kc3M=", "someone@example.org",
     "cert-authority ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICefKS3Wroyy+zPItKO6EvFgY15SOwQ6PeErwa9JYfua",
     "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAICefKS3Wroyy+zPItKO6EvFgY15SOwQ6PeErwa9JYfua",
     "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICefKS3Wroyy+zPItKO6EvFgY15SOwQ6PeErwa9JYfua a\nb"],
)  # fmt: skip
def test_what_is_no_public_key(text):
    assert not is_public_key(text)


def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked(make_key, signatures):
    file, _ = make_key("a", passphrase="a long one")
    with pytest.raises(SignatureFailed, match="passphrase") as raised:
        signatures.sign("text", file)
    assert raised.value.exit_code == 2
    assert "ssh-agent" in raised.value.hint


def test_a_file_that_is_no_key(tmp_path, signatures):
    (tmp_path / "x").write_text("no key")
    with pytest.raises(SignatureFailed, match=str(tmp_path / "x")):
        signatures.sign("text", tmp_path / "x")


def test_without_ssh_keygen(tmp_path, make_key):
    file, public = make_key("a")
    signature = Signatures("purpose", environ=os.environ).sign("text", file)
    without = Signatures("purpose", environ={"PATH": str(tmp_path)})
    for ask in (lambda: without.sign("text", file), lambda: without.signer("text", signature, [public])):
        with pytest.raises(ToolMissing, match="ssh-keygen") as raised:
            ask()
        assert raised.value.exit_code == 3


def test_a_program_of_the_project_does_not_count(tmp_path, make_key):
    file, _ = make_key("a")
    own = tmp_path / "project"
    own.mkdir()
    (own / "ssh-keygen").write_text("#!/bin/sh\ntouch ran\n")
    (own / "ssh-keygen").chmod(0o755)
    with pytest.raises(ToolMissing):
        Signatures("purpose", environ={"PATH": str(own)}, avoid=own).sign("text", file)
