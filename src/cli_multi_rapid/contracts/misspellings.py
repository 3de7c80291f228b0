"""What looks like JSON and is none, or is read differently by careless programs: numbers, texts, whole documents."""

from collections.abc import Iterator

from cli_multi_rapid.contracts.strict_json import MAX_DEPTH

NUMBERS = (
    "01", "-", "+1", ".5", "1.", "-.5", "1e", "1e+", "1.e1", "--1", "1_000", "0x10", "1,5", "- 1", "1 0", "NaN", "nan",
    "Infinity", "-Infinity", "1e1000", "-1e1000", "1d", "1f", "00", "-01", "1e5.0", "\uff11", "\u0661", "1L", "0b1",
    "1" * 400, "-" + "9" * 330, "-0x1", "1E", "-e1", "01.5", "-00", "1..5", "1.5.5", "1e1e1", "0 .5", "0o7",
)  # fmt: skip
TEXTS = (
    "\\ud800", "\\udc00", "\\ude00\\ud83d", "\\ud83dx", "\\ud83d\\n", "\\ud83d\\u0041", "\\ud83d\\ud83d", "\\u12",
    "\\u12g4", "\\u+123", "\\u 123", "\\x41", "\\'", "\\0", "\\a", "\\v", "\\U0001f600", "\\u{41}", "\\\n", "\n", "\r",
    "\t", "\x01", "\x1f", "\0", "\x7f", "\\u-041", "\\uD83D\\uDE00\\uDE00", "\\", "\\u",
)  # fmt: skip
"""Escapes and characters between the quotes of a text."""
LITERALS = ("True", "TRUE", "tru", "truee", "None", "nil", "undefined", "NULL", "nul", "yes", "a", "", "'true'", "@")


def misspelt(text: str) -> Iterator[tuple[str, str]]:
    """Yield kinds of mistakes with the text of an object that has them."""
    body = text.strip()
    yield "a BOM", f"\ufeff{text}"
    yield from (
        (f"{more!r} behind it", text + more)
        for more in ("x", "}", "{}", "null", ",", "]", ";", "\0", '""', "1", "\ufeff")
    )
    yield from (("a second document", text + between + text) for between in ("", "\n", ",", " "))
    yield "an array around it", f"[{text}]"
    yield "a text around it", f'"{body}"'
    yield from (
        ("a comment", made)
        for made in (f"/**/{text}", f"{text}//", f"{text}#", f"//\n{text}", f"{body[0]}/**/{body[1:]}")
    )
    yield from (
        ("cut", body[:size]) for size in (1, 2, len(body) // 4, len(body) // 2, 3 * len(body) // 4, len(body) - 1)
    )
    yield from (("cut at its start", body[size:]) for size in (1, len(body) // 2, len(body) - 1))
    spaces = ("\xa0", "\x0b", "\x0c", "\u2028", "\u200b", "\u3000", "\x85", "\0")
    yield from (
        (f"{one!r} as white space", made)
        for one in spaces
        for made in (one + text, text + one, body[0] + one + body[1:])
    )
    yield "single quotes", text.replace('"', "'")
    yield "no quotes", text.replace('"', "")
    yield "no colons", text.replace(":", " ")
    yield "equals signs", text.replace(":", "=")
    yield "semicolons", text.replace(",", ";")
    yield "a bracket as its end", f"{body[:-1]}]"
    yield "a brace more", f"{body[:-1]}}}}}"
    yield from (
        ("a document of another kind", one) for one in ("", " ", "null", "true", "0", '""', "[]", "[{}]", "{}", '"{}"')
    )
    yield from (
        ("no document", one)
        for one in ("nul", "-", '"', "{", "[", "}", "{]", "[}", '{"', '{"a"', '{"a":', '{"a":1', "{,}")
    )
    for depth in (MAX_DEPTH, MAX_DEPTH + 1, 3000):
        yield "many levels", "[" * depth + "]" * depth
        yield "many levels", '{"a":' * depth + "1" + "}" * depth
        yield "levels without an end", "[" * depth
