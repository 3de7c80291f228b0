"""The matrix of a job as one of its steps: GitHub's combinations, and only what a step reads."""

import pytest

from cli_multi_rapid.engine.loader import load_phases
from cli_multi_rapid.services.importing.github import import_workflows
from cli_multi_rapid.services.importing.matrix import Matrix, Uneven, machine, read_matrix
from cli_multi_rapid.services.importing.source import Report, Source
from cli_multi_rapid.system.yaml import parse


def source(text):
    document = parse(text, "m.yml")
    return Source(document=document, value=document.values)


def combinations(text):
    return [dict(one) for one in read_matrix(source(text), Report()).combinations]


def phase(matrix, steps, more=""):
    body = "".join(f"      {line}\n" for line in steps.splitlines())
    keys = "".join(f"    {line}\n" for line in ("runs-on: ubuntu-latest\n" + more).splitlines() if line)
    keys = keys.replace("    runs-on: ubuntu-latest\n", "", 1) if "runs-on" in more else keys
    text = f"jobs:\n  test:\n{keys}    strategy: {{matrix: {matrix}}}\n    steps:\n{body}"
    found = import_workflows({"ci.yml": text.encode()})
    phases = load_phases({f"{name}.yaml": text for name, text in found.phases.items()}, gates=None)
    return phases.get("test"), [one.why for one in found.left_out]


def test_the_combinations_are_those_of_github():
    """The example of GitHub's own documentation."""
    text = """\
fruit: [apple, pear]
animal: [cat, dog]
include:
  - color: green
  - {color: pink, animal: cat}
  - {fruit: apple, shape: circle}
  - fruit: banana
  - {fruit: banana, animal: cat}
"""  # fmt: skip
    assert combinations(text) == [
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [1, 2]\nb: [x]\nexclude: [{a: 1}]", [{"a": 2, "b": "x"}]),
        ("a: [1]\nexclude: [{b: 1}, {}]", [{"a": 1}]),
        ("include: [{a: 1}, {b: 2}]", [{"a": 1}, {"b": 2}]),
        ("a: [1]\nexclude: [{a: 1}]", [{}]),
        ("a: 1", [{}]),
    ],
)
def test_more_combinations(text, expected):
    assert combinations(text) == expected


@pytest.mark.parametrize(
    "text",
    ["${{ fromJSON(x) }}", "include: ${{ x }}", "a: ['1']\nexclude: x", "a: ${{ x }}\ninclude: [{b: 1}]",
     "\n".join(f"a{i}: [1, 2]" for i in range(9)), "include: [1]"],
)  # fmt: skip
def test_combinations_that_are_not_known(text):
    assert read_matrix(source(text), Report()).broken


def test_the_matrix_of_a_step_has_what_it_reads():
    matrix = read_matrix(source("a: [1, 2]\nb: [x, y]\nc: [z]"), Report())
    assert matrix.axes(["b"]) == {"b": ("x", "y")}
    assert matrix.axes(["b", "a"]) == {"a": (1, 2), "b": ("x", "y")}
    assert matrix.axes([]) == {}
    assert matrix.values("A") == (None,)
    assert matrix.named("A") == "a"


def test_uneven_combinations_are_packed():
    matrix = read_matrix(source("include: [{a: 1, b: x}, {a: 2, b: y}, {a: 2, b: y, c: 3}]"), Report())
    assert matrix.axes(["a"]) == {"a": (1, 2)}
    with pytest.raises(Uneven):
        matrix.axes(["a", "b"])
    packed = Matrix(combinations=matrix.combinations, packed=True)
    text = '${{ fromJSON(\'[\n  {"a": 1, "b": "x"},\n  {"a": 2, "b": "y"}\n]\') }}'
    assert packed.axes(["a", "b"]) == {"combination": text}


@pytest.mark.parametrize(
    ("runs_on", "system"),
    [
        ("ubuntu-latest", "Linux"), ("windows-2022", "Windows"), ("macos-15", "macOS"), ("1", "Linux"),
        ("[self-hosted, linux]", "Linux"), ("{labels: [windows]}", "Windows"), ("${{ matrix.os }}", "Windows"),
        ("${{ inputs.x }}", "Linux"),
    ],
)  # fmt: skip
def test_machines(runs_on, system):
    assert machine(source(f"a: {runs_on}").at("a"), {"os": "windows-latest"}) == system


def test_steps_run_for_the_values_that_they_read():
    made, whys = phase('{py: ["3.11", "3.12"], os: [a, b]}', """\
- run: install
- run: test ${{ matrix.py }}
- {run: 'echo "$V"', env: {V: "${{ matrix.OS }}-${{ matrix.py }}"}}
- {run: echo, if: "matrix.py == '3.12'"}
""")  # fmt: skip
    assert [step.matrix for step in made.steps] == [
        {}, {"py": ("3.11", "3.12")}, {"py": ("3.11", "3.12"), "os": ("a", "b")}, {},
    ]  # fmt: skip
    assert made.steps[1].run == 'test "$MATRIX_PY"'
    assert made.steps[1].env == {"MATRIX_PY": "${{ matrix.py }}"}
    assert made.steps[2].env == {"V": "${{ matrix.os }}-${{ matrix.py }}"}
    once = "each step goes through its combinations before the next one starts; these read nothing of it and run once: "
    assert whys[1:] == [
        f"{once}install, echo-2",
        "what these do for some combinations only, all later steps find: echo-2",
    ]


def test_a_condition_chooses_combinations():
    made, _ = phase("{a: [1, 2, 3]}", '- {run: "echo ${{ matrix.a }}", if: matrix.a > 1}')
    assert made.steps[0].matrix == {"a": (2, 3)}
    assert made.steps[0].if_ is None


def test_uneven_matrices_are_read_as_whole_combinations():
    made, _ = phase("{include: [{tox: py311, args: -x}, {tox: py312, args: ''}]}", """\
- run: tox -e ${{ matrix.tox }} ${{ matrix.args }}
- run: tox -e ${{ matrix.tox }}
""")  # fmt: skip
    assert made.steps[0].run == 'tox -e "$MATRIX_TOX" $MATRIX_ARGS'
    assert made.steps[0].env["MATRIX_ARGS"] == "${{ matrix.combination.args }}"
    assert made.steps[0].matrix["combination"].startswith("${{ fromJSON('[\n")
    assert made.steps[1].matrix == {"tox": ("py311", "py312")}


def test_values_that_are_mappings():
    made, _ = phase("{c: [{a: 1, b: x}, {a: 2, b: 3}]}", "- run: echo ${{ matrix.c.a }} ${{ matrix.c.b }}")
    assert made.steps[0].env == {
        "MATRIX_C_A": "${{ matrix.combination.c.a }}", "MATRIX_C_B": "${{ matrix.combination.c.b }}",
    }  # fmt: skip


def test_only_the_combinations_of_one_system_are_taken():
    made, whys = phase(
        "{os: [windows-latest, ubuntu-latest], v: [1, 2], include: [{os: macos-latest, v: 3}]}",
        "- run: echo ${{ matrix.os }} ${{ matrix.v }}\n- {run: dir, if: runner.os == 'Windows'}\n"
        "- {run: ls, if: matrix.os == 'ubuntu-latest'}\n- {run: dir, if: matrix.os == 'windows-latest'}",
        "runs-on: ${{ matrix.os }}",
    )  # fmt: skip
    assert [step.run for step in made.steps] == ['echo ubuntu-latest "$MATRIX_V"', "ls"]
    assert made.steps[0].matrix == {"v": (1, 2)}
    assert whys[0] == "every step runs on this machine, as on Linux; what is only for Windows, macOS is left out"


def test_variables_of_the_job_that_read_the_matrix_are_those_of_each_step():
    made, _ = phase("{v: [1, 2]}", "- run: tox\n- {run: echo, env: {T: mine}}", 'env: {T: "py${{ matrix.v }}", U: a}')
    assert made.env == {"U": "a"}
    assert [dict(step.env) for step in made.steps] == [{"T": "py${{ matrix.v }}"}, {"T": "mine"}]
    assert [step.matrix for step in made.steps] == [{"v": (1, 2)}, {}]


def test_axes_that_an_expression_gives():
    text = b"""\
on: {workflow_call: {inputs: {versions: {default: "[1]"}}}}
jobs:
  test:
    strategy: {matrix: {v: "${{ fromJSON(inputs.versions) }}", w: "${{ fromJSON(vars.x) }}", x: [1, 2]}}
    steps:
      - run: echo ${{ matrix.v }} ${{ matrix.x }}
      - run: echo ${{ matrix.w }}
      - {run: echo, if: matrix.v == 1}
      - {run: echo, if: matrix.w == 1}
"""  # fmt: skip
    found = import_workflows({"ci.yml": text})
    made = load_phases({"test.yaml": found.phases["test"]}, gates=None)["test"]
    (step,) = made.steps
    assert step.matrix == {"x": (1, 2), "v": "${{ fromJSON(inputs.versions) }}"}
    assert step.run == 'echo "$MATRIX_V" "$MATRIX_X"'
    assert [one.why for one in found.left_out][-3:] == [
        "the values of 'w' are not known here: there are no configuration variables ('vars') here",
        "a condition is decided once for all combinations, and this one needs the matrix",
        "a condition is decided once for all combinations, and this one needs the matrix",
    ]


def test_a_matrix_that_is_not_known_leaves_out_the_steps_that_read_it():
    made, whys = phase("'${{ fromJSON(x) }}'", "- run: echo\n- run: echo ${{ matrix.a }}\n- {run: echo, if: matrix.a}")
    assert len(made.steps) == 1
    assert whys[1:] == ["the matrix cannot be read here: the matrix is made by an expression as a whole"] * 2


def test_a_version_number_keeps_its_last_zero():
    made, whys = phase("{py: [3.9, 3.10], include: [{py: 3.20}]}", "- run: tox -e ${{ matrix.py }}")
    assert made.steps[0].matrix == {"py": (3.9, "3.10", "3.20")}
    assert "the number 3.10 loses its last zero on GitHub; here it is the text '3.10'" in whys


def test_an_axis_that_nobody_reads_is_said():
    made, whys = phase("{py: [1, 2], one: [x]}", "- run: pytest")
    assert not made.steps[0].matrix
    assert whys[1:] == ["no step that is carried over reads py of the matrix"]


@pytest.mark.parametrize(
    ("given", "flag"),
    [("true", True), ("${{ matrix.e }}", None), ("${{ matrix.one }}", True), ("${{ inputs.x }}", None), ("1 1", None)],
)
def test_continue_on_error(given, flag):
    made, whys = phase(
        "{e: [true, false], one: [true]}", f"- {{run: echo, continue-on-error: '{given}'}}".replace("'true'", "true")
    )
    assert made.steps[0].continue_on_error is bool(flag)
    assert ("it is the same for all combinations: true or false" in whys) is (flag is None)
