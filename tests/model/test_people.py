"""Who somebody is, however they are written down."""

import pytest

from cli_multi_rapid.model.people import spellings


@pytest.mark.parametrize("text", [
    "Ann Lee <ann@example.org>", "ann@example.org", "ann+work@example.org", "<ANN@example.org>",
    "ann@example.org (lead)", "an\u200bn@example.org", "Ann, ann@example.org",
])  # fmt: skip
def test_one_address_in_many_spellings(text):
    assert "ann@example.org" in spellings(text)


@pytest.mark.parametrize("text", ["Ann Lee", " ann  LEE ", "Ann Lee (lead)", '"Ann Lee" <a@b>'])
def test_one_name_in_many_spellings(text):
    assert "ann lee" in spellings(text)


def test_other_people_are_others():
    assert not spellings("Ann Lee <ann@example.org>") & spellings("Lee Ann <joann@example.org>")
    assert spellings("  ") == frozenset()
