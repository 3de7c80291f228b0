"""Generated PowerShell: never executed here, so that its form, its names and what it calls are checked all the more."""

import re

import pytest
import tree_sitter as ts
import tree_sitter_pwsh
from contract_samples import AWKWARD, INT, WIDE, awkward_schema, closed

from cli_multi_rapid.contracts.targets.powershell import emitter, runtime
from cli_multi_rapid.contracts.targets.powershell.emitter import PowerShellEmitter

EMITTER = PowerShellEmitter()
PARSER = ts.Parser(ts.Language(tree_sitter_pwsh.language()))
AUTOMATIC = {"_", "true", "false", "null", "psscriptroot", "erroractionpreference"}
CALLED_BY_GENERATED = {
    "Set-StrictMode", "Import-Module", "Join-Path", "New-CmrPattern", "ConvertFrom-CmrJson", "ConvertTo-CmrJson",
    "Export-ModuleMember",
}  # fmt: skip


def parsed(text):
    return PARSER.parse(text.encode()).root_node


def nodes(root, *kinds):
    todo = [root]
    while todo:
        node = todo.pop()
        if node.type in kinds:
            yield node
        todo += reversed(node.children)


def said(node):
    return node.text.decode()


def driver():
    return runtime.resources(runtime.__package__).joinpath("driver.ps1").read_text("utf-8")


SCRIPTS = {**EMITTER.support(), "driver.ps1": driver()}


@pytest.mark.parametrize("name", SCRIPTS)
def test_what_is_written_by_hand_is_powershell(name):
    assert not parsed(SCRIPTS[name]).has_error
    assert SCRIPTS[name].isascii()


@pytest.mark.parametrize("schema", [WIDE, awkward_schema(), closed()], ids=["wide", "awkward", "empty"])
def test_what_is_generated_is_powershell_and_calls_nothing_else(emitted, schema):
    made = emitted(EMITTER, schema)
    root = parsed(made.text)
    assert not root.has_error
    assert {said(one) for one in nodes(root, "command_name")} <= CALLED_BY_GENERATED
    assert not list(nodes(root, "sub_expression", "command_invocation_operator", "script_block_expression"))
    code = "".join(said(one) for one in nodes(root, "class_statement", "function_statement", "hash_literal_expression"))
    assert "throw" not in re.sub(r"#.*", "", re.sub(r"<#.*?#>", "", code, flags=re.DOTALL).replace("$(throw)", ""))


MUTATIONS = {
    "a brace is lost": ("class OrderIntent {", "class OrderIntent"),
    "a parenthesis is lost": ("Members = @(", "Members = @"),
    "a quotation mark is lost": ("Key = 'must'", "Key = 'must"),
    "a bracket is lost": ("[object] $big", "[object $big"),
    "a type is open": ("Type = [OrderIntent]", "Type = [OrderIntent"),
    "a comment is open": ("    #>\n", "    \n"),
    "a member without a name": ("[object] $big", "[object] $"),
    "a table is open": ("Kind = 'boolean' }", "Kind = 'boolean'"),
    "a key without a value": ("Required = $true;", "Required = ;"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_check_of_the_form_can_fail(emitted, name):
    made = emitted(EMITTER, WIDE)
    old, new = MUTATIONS[name]
    assert old in made.text
    assert parsed(made.text.replace(old, new)).has_error


def functions(texts):
    """Return what is defined: the names of parameters in small letters, by the name of the function."""
    made = {}
    for text in texts:
        for one in nodes(parsed(text), "function_statement"):
            name = next(said(child) for child in one.children if child.type == "function_name")
            parameters = [said(child) for child in nodes(one, "script_parameter")]
            made[name] = {re.findall(r"\$(\w+)", parameter)[-1].lower() for parameter in parameters}
    return made


KNOWN = {
    "Set-StrictMode": {"version"}, "Import-Module": {"name"}, "Join-Path": None, "Export-ModuleMember": {"function"},
}  # fmt: skip


def calls_without_a_definition(texts, known):
    for text in texts:
        for call in nodes(parsed(text), "command"):
            (name,) = [said(one) for one in call.children if one.type == "command_name"] or [""]
            given = {said(one)[1:].lower() for one in nodes_of_call(call)}
            if name and (name not in known or (known[name] is not None and not given <= known[name])):
                yield name, given


def nodes_of_call(call):
    elements = [one for one in call.children if one.type == "command_elements"]
    return [child for one in elements for child in one.children if child.type == "command_parameter"]


def test_what_is_called_is_defined_with_these_parameters(emitted):
    made = emitted(EMITTER, WIDE)
    texts = [*SCRIPTS.values(), made.text]
    known = {**KNOWN, **functions(texts)}
    assert "Read-CmrValue" in known
    assert list(calls_without_a_definition(texts, known)) == []
    spoilt = [text.replace("Read-CmrText -Element", "Read-CmrText -Elment") for text in texts]
    assert list(calls_without_a_definition(spoilt, known))


def unknown_variables(text):
    """Yield variables of functions that are neither parameters nor assigned before: strict mode would not have them."""
    script = {one.lower() for one in re.findall(r"^\s*\$(?:script:)?(\w+) = ", text, flags=re.MULTILINE)}
    for function in nodes(parsed(text), "function_statement"):
        known = set(AUTOMATIC)
        for node in nodes(function, "script_parameter"):
            known.add(re.findall(r"\$(\w+)", said(node))[-1].lower())
        for node in nodes(function, "left_assignment_expression", "foreach_statement"):
            known.add(re.search(r"\$(\w+)", said(node))[1].lower())
        for node in nodes(function, "variable"):
            name = said(node).strip("${}").lower()
            if name.startswith("script:"):
                name, there = name.removeprefix("script:"), script
            else:
                there = known | (script if "param(\n    [Parameter(Mandatory)] [string] $Module" in text else set())
            if name not in there and not (name == "name" and "driver" in text):
                yield said(function).split(" ", 2)[1], name


def test_variables_are_known_where_they_are_used():
    module = "\n".join(EMITTER.support().values())
    assert list(unknown_variables(module)) == []
    assert list(unknown_variables(module.replace("$value = Read-CmrValue", "$vlaue = Read-CmrValue")))
    assert list(unknown_variables(module.replace("$script:HalfPair = ", "$script:Halfpear = ")))


def test_comparisons_are_case_sensitive():
    """`-eq` on texts ignores the case: it is left for numbers, types and null."""
    for name, text in SCRIPTS.items():
        for one in nodes(parsed(text), "comparison_expression"):
            operator = next(said(child) for child in one.children if child.type == "comparison_operator")
            quoted = any(child.type == "unary_expression" and said(child)[0] in "'\"" for child in one.children)
            assert not quoted or operator.startswith("-c"), (name, said(one))
        assert not re.search(r"-(match|contains|in|like|replace|split|notmatch|notin)\b", text)


CHARACTERS = [
    *AWKWARD,
    *map(chr, range(1, 0x180)),
    "\u2018\u2019\u201a\u201b'",
    '\u201c\u201d\u201e"',
    "\U0010ffff",
    "`",
    "`u{41}",
]


def test_texts_are_what_they_were():
    for one in CHARACTERS:
        literal = emitter.text(one)
        assert literal.isascii()
        assert literal.isprintable()
        (node,) = nodes(parsed(f"$x = {literal}\n"), "string_literal")
        assert said(node) == literal
        assert not list(nodes(node, "variable", "sub_expression"))
        assert meaning(literal) == one


def meaning(literal):
    body = literal[1:-1]
    if literal[0] == "'":
        return body.replace("''", "'")
    signs = re.compile(r"`u\{([0-9a-f]+)\}|`(.)", re.DOTALL)
    return signs.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], body)


def members(text, name):
    (found,) = [one for one in nodes(parsed(text), "class_statement") if said(one).startswith(f"class {name} {{")]
    return [said(next(nodes(one, "variable"))).removeprefix("$") for one in nodes(found, "class_property_definition")]


def test_members_differ_in_more_than_their_case(emitted):
    made = emitted(EMITTER, awkward_schema())
    found = members(made.text, "OrderIntent")
    assert len(found) == len(AWKWARD) + 4
    assert len({one.lower() for one in found}) == len(found)
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", one) for one in found)
    assert not {one.lower() for one in found} & emitter.MEMBERS
    assert {"ABC", "class", "a_b", "Function"} <= set(found)
    assert made.text.count("Key = 'abc'; Name = 'abc_2'") == 1


def test_null_and_missing_are_told_apart(emitted):
    null = {"type": ["string", "null"]}
    made = emitted(EMITTER, closed(("both",), both=null, note=null, noteisnull=INT, OrderIntent=INT))
    assert members(made.text, "OrderIntent") == [
        "both", "bothIsNull", "note", "noteIsNull_", "noteisnull", "OrderIntent_",
    ]  # fmt: skip
    assert "@{ Key = 'note'; Name = 'note'; NullName = 'noteIsNull_'; Shape = @{ Kind = 'nullable'" in made.text
    assert (
        "@{ Key = 'both'; Name = 'both'; Required = $true; NullName = 'bothIsNull'; Shape = @{ Kind = 'nullable'"
        in made.text
    )


@pytest.mark.parametrize(
    ("name", "expected"), [("String@1.0", "String_"), ("Regex@1.0", "Regex_"), ("OrderIntent@1.2", "OrderIntent")]
)
def test_names_that_the_language_has_already(emitted, name, expected):
    made = emitted(
        EMITTER, {**closed(leg={"$ref": "#/$defs/leg"}), "$defs": {"leg": closed(x=INT), "LEG": closed()}}, name
    )
    title = name.partition("@")[0]
    assert f"class {expected} {{\n    # An object (optional)\n    [{title}Leg] $leg\n}}" in made.text
    assert f"function ConvertFrom-{title}Json {{" in made.text
    assert f"[{expected}] $InputObject" in made.text
    assert made.name == f"{title}_v{name.partition('@')[2].replace('.', '_')}.psm1"


def test_every_rule_is_in_the_shapes(emitted):
    text = emitted(EMITTER, WIDE).text
    for part in (
        "Kind = 'integer'; Minimum = '-9223372036854775808'; Maximum = '9223372036854775807'",
        "Kind = 'number'; Minimum = '0.1'; Maximum = '9007199254740992.0'",
        "Kind = 'text'; MinLength = 2; MaxLength = 3",
        r"Kind = 'text'; Pattern = (New-CmrPattern -Pattern '\A(?:[\u0000-\u0060\u007B-\uD7FF\uE000-\uFFFF]",
        "Source = '^[^a-z]+(x|yz)?$'", "Kind = 'text'; Format = 'date-time'",
        'Values = @(\'buy\', \'sell\', "a `"quoted',
        "Kind = 'array'; MinItems = 1; MaxItems = 3; Item = @{ Kind = 'nullable'; Shape = @{ Kind = 'text'; Values",
        "Kind = 'constant'; Value = 1 }", "Kind = 'constant'; Value = [long] 9007199254740993 }", "Value = $true }",
        "Value = 'it''s \"x\"' }", "Item = $script:OrderIntentPointShape", "Tag = 'kind'",
        "@{ Value = 'limit'; Shape = $script:OrderIntentHow0Shape }", "Kind = 'boolean'",
        "Key = 'point'; Name = 'point'",
        "    [OrderIntentPoint] $point\n", "    [object[]] $points\n", "    [object] $kind = 'limit'\n",
    ):  # fmt: skip
        assert part in text, part


def test_a_union_takes_each_of_its_classes(emitted):
    union = {"oneOf": [closed(("t",), t={"const": "a"}), closed(("t",), t={"const": "b"}, n={"const": -(2**63)})]}
    text = emitted(EMITTER, union).text
    assert "[object] $InputObject" in text
    assert "-Shape $script:OrderIntentShape" in text
    assert "class OrderIntent {" not in text
    assert "Value = [long]::MinValue" in text
    assert not parsed(text).has_error
