"""Masking: no form of a secret gets through, however the stream is cut, and nothing else is changed."""

import base64
import json
import re
from itertools import pairwise
from secrets import token_hex
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli_multi_rapid.system.redact import MASK, Masker, check_secret

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=4, max_size=40).filter(
    lambda text: len(text.strip()) >= 4
)
lines = texts.filter(lambda text: len(text.splitlines()) == 1)
noise = st.binary(max_size=30)


def forms_of(secret):
    """Return how programs print a secret, independently of how the masker computes it."""
    raw = secret.encode()
    plain = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), raw.hex(), raw.hex().upper()}
    plain |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    plain |= {re.sub("%..", lambda escape: escape[0].lower(), quote(secret, safe=""))}
    encoders = (base64.b64encode, base64.urlsafe_b64encode)
    return [form.encode() for form in plain] + [encode(raw) for encode in encoders]


def chunks(data, cuts):
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(places)]


def stream(masker, parts):
    return b"".join([*(masker.feed(part) for part in parts), masker.flush()])


@given(secret=lines, before=noise, after=noise, cuts=st.lists(st.integers(0, 999), max_size=12), data=st.data())
def test_no_form_gets_through_whatever_the_chunks(secret, before, after, cuts, data):
    form = data.draw(st.sampled_from(forms_of(secret)))
    masked = stream(Masker([secret]), chunks(before + form + after, cuts))
    # What is around a secret may by chance contain it again or become part of it; the mask itself never does.
    assert form not in masked
    assert MASK.encode() in masked


@given(secret=texts, prefix=st.binary(max_size=5), suffix=st.binary(max_size=5))
def test_base64_of_a_secret_inside_something_longer(secret, prefix, suffix):
    raw = secret.encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(prefix + raw + suffix)
        first, after = -(-len(prefix) * 8 // 6), (len(prefix) + len(raw)) * 8 // 6
        assert whole[first:after] not in stream(Masker([secret]), [whole])


@given(
    secrets=st.lists(texts, max_size=4), data=st.binary(max_size=300), cuts=st.lists(st.integers(0, 999), max_size=12)
)
def test_chunks_make_no_difference(secrets, data, cuts):
    planted = data + b"".join(secret.encode() + data[:3] for secret in secrets)
    masker = Masker(secrets)
    assert stream(masker, chunks(planted, cuts)) == stream(Masker(secrets), [planted])
    assert stream(masker, [planted]) == stream(Masker(secrets), [planted]), "a flushed masker begins anew"


@given(data=st.binary(max_size=500), cuts=st.lists(st.integers(0, 999), max_size=12))
def test_what_holds_no_secret_is_unchanged(data, cuts):
    secret = token_hex(16)  # 32 random characters are not in there by chance
    assert stream(Masker([secret]), chunks(data, cuts)) == data


@given(text=st.text(st.characters(), max_size=60))
def test_texts_without_a_secret_are_unchanged(text):
    assert Masker([token_hex(16)]).mask_text(text) == text


@given(secret=texts, before=st.text(st.characters(), max_size=9), after=st.text(st.characters(), max_size=9))
def test_texts_are_masked(secret, before, after):
    masked = Masker([secret]).mask_text(before + secret + after)
    assert secret not in masked
    assert MASK in masked


@pytest.mark.parametrize(
    ("secrets", "text", "masked"),
    [
        (["abcdef"], "x abcdef y", "x *** y"),
        (["abcdef"], "abcdefabcdef", "******"),
        (["abcd", "cdef"], "-abcdef-", "-***-"),
        (["abcd", "abcdef"], "abcdef abcde", "*** ***e"),
        (["bcde", "abcdefg"], "abcdefg bcde", "*** ***"),
        (["aaaa"], "-aaaaaaaaa-", "-***-"),
        (["a.c*"], "a.c* abcc", "*** abcc"),
        (["  padded  "], "[padded]", "[***]"),
        (["abc"], "abc", "abc"),
        ([], "abcdef", "abcdef"),
    ],
)
def test_overlaps_neighbours_and_nesting(secrets, text, masked):
    masker = Masker(secrets)
    assert masker.mask_text(text) == masked
    assert stream(masker, [text.encode()]).decode() == masked
    assert stream(masker, [bytes([byte]) for byte in text.encode()]).decode() == masked


def test_secrets_of_several_lines_are_masked_line_by_line_too():
    first, second = token_hex(8), token_hex(8)
    masker = Masker([f"{first}\r\n{second}\nab\n"])
    assert masker.mask_text(f"  {second}\n") == "  ***\n"
    assert masker.mask_text(f"{first}\n{second}\nab\n") == "***\n***\nab\n"
    assert masker.mask_text(f"[{first}\r\n{second}\nab\n]") == "[***]"
    assert masker.mask_text(json.dumps(f"{first}\r\n{second}\nab\n")) == '"***"'
    assert second not in masker.mask_text(base64.b64encode(second.encode()).decode())


@pytest.mark.parametrize("columns", [64, 76])
def test_wrapped_base64_is_masked(columns):
    secret = token_hex(100)
    encoded = base64.b64encode(secret.encode()).decode()
    wrapped = "\n".join(encoded[at : at + columns] for at in range(0, len(encoded), columns))
    masked = Masker([secret]).mask_text(wrapped)
    assert set(masked) == {"*", "\n"}


def test_bytes_that_are_no_text_are_masked():
    secret = b"\xff\xfe" + token_hex(8).encode()
    masker = Masker([secret.decode("utf-8", "surrogateescape")])
    assert stream(masker, [b"[" + secret + b"]"]) == b"[***]"
    assert masker.mask_text(f"[{secret.decode('utf-8', 'surrogateescape')}]") == "[***]"


def test_lone_surrogates_disturb_nothing():
    masker = Masker(["abcdef"])
    assert masker.mask_text("\ud800 abcde \udcff") == "\ud800 abcde \udcff"
    assert "abcdef" not in masker.mask_text("\ud800 abcdef \udcff")


def test_nothing_is_held_back_that_cannot_become_a_secret():
    secret = "Z" + token_hex(20)
    masker = Masker([secret])
    assert masker.feed(b"a whole line\n") == b"a whole line\n"
    assert masker.feed(b"and " + secret[:10].encode()) == b"and "
    assert masker.feed(secret[10:].encode()) == b"***"
    assert (
        masker.feed(b"ordinary text: " + secret[:10].encode() + b"!")
        == b"ordinary text: " + secret[:10].encode() + b"!"
    )
    assert masker.flush() == b""


def test_without_secrets_nothing_is_copied():
    data = bytes(100)
    masker = Masker([])
    assert masker.feed(data) is data
    assert masker.flush() == b""


@pytest.mark.parametrize("value", ["", "a", "abc", "  a  ", "abc\n"])
def test_secrets_too_short_are_refused(value):
    with pytest.raises(ValueError, match="the secret TOKEN is shorter than 4 characters"):
        check_secret("TOKEN", value)


def test_secrets_long_enough_are_accepted():
    check_secret("TOKEN", "abcd")
