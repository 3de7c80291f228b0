"""Patterns mean what the validator takes them to mean, in every spelling."""

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema_rs import Draft202012Validator, RegexOptions

from cli_multi_rapid.contracts.patterns import PatternRefused, automaton, dotnet

PATTERNS = [
    "", "a", "^a", "a$", "^a$", "^$", "^", "$", "^-?[0-9]{1,15}([.][0-9]{1,8})?$", "^[A-Z]{3,6}$", "b|^a|c$",
    "^(ab|a)*b$", "(^a|b)c", r"\d", r"^\w+$", r"^\D\W$", r"^[^a]$", r"^[\d_]{2,}$", r"^[a\-z]$", r"^[-a]$", r"^[a-]$",
    r"\/\.\\", r"^\u00e9\x41$", r"^[\u{1F600}-\u{1F64F}]+$", "^[^\U0001f600]$", "^😀$", "^[a-\uffff]{2}$",
    "^(?:a{0}|b)$", "^a{2,3}$", "a^b", "a$b", "^(a|)$", "^((a?b){2}|c+)$", r"^\t\n\v\f\r$", "^[^😀-😂b]{1,2}$",
    "^[!-/:-@]+$",
]  # fmt: skip
ALPHABET = "aaabbczAZ0059_-./\\ \t\n\r\x0b\x0c\0é😀😁😂\u2028\uffff\ue000\U0010ffff"


def matches(pattern, text):
    made = automaton(pattern)
    state = 0
    for sign in text:
        state = next((after for low, high, after in made.edges[state] if low <= ord(sign) <= high), None)
        if state is None:
            return False
    return state in made.accepting


def validator(pattern):
    return Draft202012Validator({"pattern": pattern}, pattern_options=RegexOptions())


def texts(pattern, count):
    """Return random texts, and texts that the automaton accepts with one character more, less or other."""
    chance = random.Random(pattern)
    made = automaton(pattern)
    found = ["", "a", "b", "ab\n", "a\n"]
    for _ in range(count):
        found.append("".join(chance.choices(ALPHABET, k=chance.randrange(6))))
        state, walked = 0, ""
        while made.edges[state] and len(walked) < 20 and (state not in made.accepting or chance.random() < 0.8):
            low, high, state = chance.choice(made.edges[state])
            walked += chr(chance.choice((low, high, min(high, low + 1))))
        at = chance.randrange(len(walked) + 1)
        found += [walked, walked[:at] + walked[at + 1 :], walked[:at] + chance.choice(ALPHABET) + walked[at:]]
    return found


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_validator_agrees(pattern):
    judge = validator(pattern)
    assert [one for one in texts(pattern, 60) if matches(pattern, one) != judge.is_valid(one)] == []


def test_random_patterns_agree():
    chance = random.Random(7)
    seen = set()
    for _ in range(400):
        pattern = made_up(chance, 3)
        judge = validator(pattern)
        for text in texts(pattern, 6):
            verdict = matches(pattern, text)
            assert verdict == judge.is_valid(text), (pattern, text)
            seen.add(verdict)
    assert seen == {True, False}


def made_up(chance, depth):
    if depth == 0:
        return chance.choice(["a", "b", "[ab]", "[^a]", r"\d", "😀", "[0-9é]", "^", "$", r"[\w.]"])
    inner = [made_up(chance, depth - 1) for _ in range(chance.randrange(1, 4))]
    if chance.random() < 0.3:
        return "(" + "|".join(inner) + ")"
    joined = "".join(inner)
    return f"(?:{joined}){chance.choice(['*', '+', '?', '{2}', '{1,2}', '{0,}', ''])}"


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("a.b", "leaves out other"), (r"\s", "different things"), (r"\ba", "different"), (r"\p{L}", "different"),
        ("a*?", "lazy"), ("(?=a)", "only"), ("(?<n>a)", "only"), (r"(a)\1", "different"), ("[a", "not closed"),
        ("(a", "not closed"), ("a)", "closes nothing"), ("*a", "nothing to repeat"), ("a{2", "a repetition is"),
        ("a{3,2}", "below"), ("a{9999}", "at most"), ("[z-a]", "before"), ("[]", "without characters"),
        ("[^]", "without characters"), ("[[a]", "write"), ("[a&&b]", "means"), ("[a--b]", "different|write|before"),
        ("a]", "write"), ("a}", "write"), ("^*", "end of the text"), ("a\\", "backslash"),
        (r"\u{110000}", "no character"), (r"\ud83d", "no character"), (r"\x4", "coded"), (r"\u12", "coded"),
        ("a**", "not repeated"), (r"[\d-z]", "range"), ("(" * 60 + ")" * 60, "nested"),
        ("((a{1000}){1000}){1000}", "too large"), ("(a|b)*a(a|b){12}", "states"),
    ],
)  # fmt: skip
def test_what_differs_between_languages_is_refused(pattern, said):
    with pytest.raises(PatternRefused, match=said):
        automaton(pattern)


def cases(spelled):
    return [
        (spelled(pattern), text, matches(pattern, text))
        for pattern in [*PATTERNS, *(made_up(random.Random(seed), 3) for seed in range(40))]
        for text in texts(pattern, 12)
    ]


def test_ecmascript_agrees():
    node = shutil.which("node", path=f"{Path(sys.executable).parent}") or shutil.which("node")
    if node is None:
        pytest.skip("node is not on PATH")
    script = """
      const wrong = JSON.parse(require("fs").readFileSync(0, "utf8"))
        .filter(([pattern, text, verdict]) => new RegExp(pattern, "u").test(text) !== verdict);
      console.log(JSON.stringify(wrong));
    """
    done = subprocess.run([node, "-e", script], input=json.dumps(cases(str)), capture_output=True, text=True)
    assert json.loads(done.stdout or done.stderr) == []


def test_units_of_utf_16_agree():
    """.NET is not here: Python's `re` over units of UTF-16 stands for it, with its names for the two ends."""
    import re

    def units(text):
        data = text.encode("utf-16-le")
        return "".join(chr(int.from_bytes(data[at : at + 2], "little")) for at in range(0, len(data), 2))

    def found(pattern, text):
        return re.search(pattern.replace(r"\z", r"\Z"), units(text)) is not None

    assert [one for one in cases(dotnet) if found(one[0], one[1]) != one[2]] == []
