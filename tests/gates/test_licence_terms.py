import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli_multi_rapid.gates.licence_names import NAMES
from cli_multi_rapid.gates.licence_terms import expression_of, known_entry, normalised, permitted, spdx
from cli_multi_rapid.gates.packages import Terms

BSD = "BSD-2-Clause AND BSD-3-Clause"
MIT_TEXT = """Permission is hereby granted, free of charge, to any person obtaining a copy
of this software ... The above copyright notice and this permission notice shall be included"""
GPL = "GPL-2.0-only AND GPL-2.0-or-later AND GPL-3.0-only AND GPL-3.0-or-later"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MIT", "MIT"),
        ("mit", "MIT"),
        ("MIT License", "MIT"),
        ("The MIT License (MIT)", "MIT"),
        ("MIT/X11", "MIT"),
        ("Apache 2.0", "Apache-2.0"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("Apache-2", "Apache-2.0"),
        ("Apache License v2.0", "Apache-2.0"),
        ("Apache Software License 2.0", "Apache-2.0"),
        ("BSD", BSD),
        ("BSD License", BSD),
        ("BSD-like", BSD),
        ("New BSD", "BSD-3-Clause"),
        ("BSD (3-clause)", "BSD-3-Clause"),
        ("3-Clause BSD License", "BSD-3-Clause"),
        ('BSD 2-Clause "Simplified" License', "BSD-2-Clause"),
        ("GPL", GPL),
        ("GPLv3", "GPL-3.0-only"),
        ("GPL-3.0", "GPL-3.0-only"),
        ("GPL-3.0+", "GPL-3.0-or-later"),
        ("GNU GPL v3 or later", "GPL-3.0-or-later"),
        ("GPL version 2 or any later version", "GPL-2.0-or-later"),
        ("LGPLv2.1+", "LGPL-2.1-or-later"),
        ("AGPL-3.0", "AGPL-3.0-only"),
        ("MPL 2.0", "MPL-2.0"),
        ("GPL-2.0-with-classpath-exception", "GPL-2.0-only WITH Classpath-exception-2.0"),
        ("MIT or Apache 2.0", "MIT OR Apache-2.0"),
        ("(MIT OR BSD-3-Clause)", "(MIT OR BSD-3-Clause)"),
        ("MIT and BSD License", f"MIT AND {BSD}"),
        ("MIT, Apache 2.0", "MIT AND Apache-2.0"),
        ("MIT/Apache-2.0", "MIT AND Apache-2.0"),
        ("MIT and (BSD or ISC License)", None),
        ("MIT and BSD or ISC License", f"(MIT AND {BSD}) OR ISC"),
        ("UNLICENSED", "LicenseRef-Proprietary"),
        ("Public Domain", "LicenseRef-Public-Domain"),
        ("LicenseRef-Mine", "LicenseRef-Mine"),
        ("", None),
        ("License", None),
        ("UNKNOWN", None),
        ("Dual License", None),
        ("SEE LICENSE IN LICENSE.md", None),
        ("MIT or whatever", None),
        ("custom", None),
        ("see https://example.org", None),
        ("(" * 60 + "MIT" + ")" * 60, None),
    ],
)
def test_names(text, expected) -> None:
    assert normalised(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            MIT_TEXT,
            "MIT",
        ),
        (
            "Redistribution and use in source and binary forms ... 3. Neither the name of the holder " + "x " * 30,
            "BSD-3-Clause",
        ),
        (
            "Redistribution and use in source and binary forms, with or without modification, are permitted "
            + "x " * 30,
            BSD,
        ),
        ("Apache License\n Version 2.0, January 2004\n " + "x " * 100, "Apache-2.0"),
        ("GNU GENERAL PUBLIC LICENSE Version 3, 29 June 2007 " + "x " * 100, GPL),
        ("All rights reserved. " * 20, None),
    ],
)
def test_whole_texts(text, expected) -> None:
    assert normalised(text) == expected


@pytest.mark.parametrize(
    ("classifier", "expected"),
    [
        ("OSI Approved :: MIT License", "MIT"),
        ("OSI Approved :: Apache Software License", "Apache-2.0"),
        ("OSI Approved :: BSD License", BSD),
        ("OSI Approved :: ISC License (ISCL)", "ISC"),
        ("OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"),
        ("OSI Approved :: GNU General Public License v3 or later (GPLv3+)", "GPL-3.0-or-later"),
        ("OSI Approved :: GNU General Public License v2 (GPLv2)", "GPL-2.0-only"),
        ("OSI Approved :: GNU General Public License (GPL)", GPL),
        ("OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)", "LGPL-3.0-only"),
        ("OSI Approved :: GNU Affero General Public License v3", "AGPL-3.0-only"),
        ("OSI Approved :: Python Software Foundation License", "PSF-2.0"),
        ("OSI Approved :: The Unlicense (Unlicense)", "Unlicense"),
        ("CC0 1.0 Universal (CC0 1.0) Public Domain Dedication", "CC0-1.0"),
        ("Other/Proprietary License", "LicenseRef-Proprietary"),
        ("OSI Approved", None),
        ("Free for non-commercial use", None),
    ],
)
def test_classifiers(classifier, expected) -> None:
    assert expression_of(Terms(classifiers=(f"License :: {classifier}",))) == expected


MIT_AND_BSD = ("License :: OSI Approved :: MIT License", "License :: OSI Approved :: BSD License")


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        (None, None),
        (Terms(), None),
        (Terms(expression="mit or apache-2.0", texts=("GPL",)), "MIT OR Apache-2.0"),
        (Terms(expression="no such thing", texts=("MIT",)), None),
        (Terms(texts=("BSD-3-Clause",), classifiers=MIT_AND_BSD), "BSD-3-Clause"),
        (Terms(texts=("GPLv3",), classifiers=MIT_AND_BSD[:1]), "GPL-3.0-only AND MIT"),
        (Terms(texts=("Dual License",), classifiers=MIT_AND_BSD), f"MIT AND {BSD}"),
        (Terms(texts=("MIT", "GPLv3"), choice=True), "MIT OR GPL-3.0-only"),
        (Terms(texts=("MIT", "whatever"), choice=True), None),
    ],
)
def test_what_a_package_says_in_several_places(terms, expected) -> None:
    assert expression_of(terms) == expected


@pytest.mark.parametrize(
    ("expression", "allow", "deny", "expected"),
    [
        ("MIT", ["MIT"], [], True),
        ("MIT", ["mit", "ISC"], [], True),
        ("ISC", ["MIT"], [], False),
        ("MIT", [], ["ISC"], True),
        ("ISC", [], ["ISC"], False),
        ("ISC", ["ISC", "MIT"], ["ISC"], False),
        ("MIT OR GPL-3.0-only", ["MIT"], [], True),
        ("MIT AND GPL-3.0-only", ["MIT"], [], False),
        ("MIT AND ISC OR GPL-3.0-only", ["MIT", "ISC"], [], True),
        ("GPL-3.0-only OR MIT AND ISC", ["MIT"], [], False),
        ("(GPL-3.0-only OR MIT) AND ISC", ["MIT", "ISC"], [], True),
        ("(GPL-3.0-only OR MIT) AND ISC", ["MIT"], [], False),
        ("((MIT))", ["MIT"], [], True),
        (GPL, [], ["GPL-3.0"], False),
        ("GPL-3.0-or-later", [], ["GPL-3.0"], False),
        ("GPL-3.0-or-later", [], ["GPL-3.0-only"], True),
        ("GPL-3.0-or-later", ["GPL-3.0+"], [], True),
        (BSD, ["BSD-3-Clause"], [], False),
        (BSD, ["BSD-3-Clause", "BSD-2-Clause"], [], True),
        ("Apache-2.0+", ["Apache-2.0"], [], True),
        ("Apache-2.0+", [], ["Apache-2.0"], False),
        ("GPL-2.0-only WITH Classpath-exception-2.0", ["GPL-2.0-only"], [], True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", ["GPL-2.0-only WITH Classpath-exception-2.0"], [], True),
        ("GPL-2.0-only", ["GPL-2.0-only WITH Classpath-exception-2.0"], [], False),
        ("GPL-2.0-only WITH Classpath-exception-2.0", [], ["GPL-2.0"], False),
        ("GPL-2.0-only WITH Classpath-exception-2.0 OR MIT", [], ["GPL-2.0"], True),
        (
            "GPL-2.0-only WITH Classpath-exception-2.0",
            ["GPL-2.0-only"],
            ["GPL-2.0-only WITH Classpath-exception-2.0"],
            False,
        ),
        ("MIT", ["unknown"], [], False),
        ("MIT", [], ["unknown"], True),
    ],
)
def test_lists(expression, allow, deny, expected) -> None:
    assert permitted(expression, allow, deny) is expected


@pytest.mark.parametrize(
    ("entry", "known"),
    [
        ("MIT", True),
        ("mit", True),
        ("GPL-3.0", True),
        ("unknown", True),
        ("LicenseRef-Proprietary", True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", True),
        ("MIT License", False),
        ("Apache", False),
        ("MIT OR ISC", False),
        ("(MIT)", False),
        ("", False),
    ],
)
def test_entries_of_lists(entry, known) -> None:
    assert known_entry(entry) is known


def test_every_name_of_the_table_stands_for_an_expression() -> None:
    for name, expression in NAMES.items():
        assert spdx(expression) == expression, name
        assert normalised(name) is not None, name


IDS = st.sampled_from(["MIT", "ISC", "0BSD", "Zlib"])
EXPRESSIONS = st.recursive(
    IDS, lambda inner: st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(lambda parts: f"({' '.join(parts)})")
)


@settings(max_examples=150, deadline=None)
@given(EXPRESSIONS, st.lists(IDS, min_size=1, max_size=3), st.lists(IDS, max_size=2))
def test_expressions_mean_what_they_mean_to_python(expression, allow, deny) -> None:
    fine = {id_: id_ in allow and id_ not in deny for id_ in ("MIT", "ISC", "0BSD", "Zlib")}
    words = expression.replace("AND", "and").replace("OR", "or").replace("0BSD", "BSD0")
    values = {("BSD0" if id_ == "0BSD" else id_): value for id_, value in fine.items()}
    assert permitted(expression, allow, deny) is _true(ast.parse(words, mode="eval").body, values)


def _true(node: ast.expr, values: dict[str, bool]) -> bool:
    if isinstance(node, ast.BoolOp):
        return (all if isinstance(node.op, ast.And) else any)([_true(one, values) for one in node.values])
    assert isinstance(node, ast.Name)
    return values[node.id]


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_no_text_is_anything_but_an_expression_or_unknown(text) -> None:
    found = normalised(text)
    assert found is None or spdx(found) == found
