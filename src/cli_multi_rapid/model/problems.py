"""The codes of what can be wrong in a file, and what each means; `explain` shows them."""

from cli_multi_rapid.errors import GateUnknown, PhaseUnknown

PROBLEMS: dict[str, str] = {
    "YAML-SYNTAX": "The file is not valid YAML 1.2 in UTF-8.",
    "YAML-LIMIT": "The file is too large, too deep, or grows too much through aliases.",
    "YAML-TAG": "Tags (`!name`) could build arbitrary objects; values are plain text, numbers, lists and mappings.",
    "YAML-DUPLICATE": "The same key stands twice in one mapping; one of the two would silently win.",
    "YAML-MERGE": "Merge keys (`<<`) are not part of YAML 1.2; repeat the keys or use an anchor for the whole value.",
    "YAML-KEY": "A key of a mapping must be text.",
    "YAML-NUMBER": "Infinity and not-a-number cannot be compared or stored; numbers must be finite.",
    "YAML-DOCUMENTS": "A file holds one YAML document; what follows `---` would be ignored.",
    "YAML-EMPTY": "The file holds no value.",
    "SPEC-SCHEMA": "The `schema:` line names the version of the format; it is missing or not supported.",
    "SPEC-KEY-UNKNOWN": "A key is not part of the format. Unknown keys are errors, because a typo would be ignored.",
    "SPEC-KEY-MISSING": "A required key is missing.",
    "SPEC-VALUE": "A value has the wrong type or form.",
    "SPEC-NAME": "The name in the file and the name of the file differ.",
    "SPEC-VERSION-NUMBER": "An unquoted number such as 3.10 loses its last zero: quote it.",
    "SPEC-LIMIT": "A phase has more steps, or a matrix more combinations, than are allowed.",
    "STEP-KIND": "A step has exactly one action.",
    "ACTION-UNKNOWN": "A step uses an action that does not exist, or not in this place.",
    "BASELINE": "The baseline is written by `validate-compliance --write-baseline`; by hand it is easily broken.",
    "APPROVER-UNKNOWN": "Groups of people who may approve are defined under `approvers:` in the configuration.",
    "STEP-DUPLICATE": "Two steps of one phase have the same id.",
    "NEED-UNKNOWN": "A step or phase needs one that does not exist.",
    "NEED-MISSING": "An expression reads a step that may not have ended by then; a need makes sure that it has.",
    "CYCLE": "Steps, phases or gates need each other in a circle, so none of them could start.",
    "ARTIFACT-UNKNOWN": "An artifact is read that no step before produces.",
    "ARTIFACT-DUPLICATE": "Two steps produce an artifact of the same name, so a reader could not tell them apart.",
    "EXPRESSION": "The text between `${{` and `}}` is not a valid expression, or names something unknown.",
    "SHELL-INJECTION": (
        "`${{ }}` inside shell or interpreter text would turn data into code. Pass the value through `env:` and use "
        "the variable, or use a list for `run`, where every item is one argument."
    ),
    "CONDITION-TEXT": "Text outside `${{ }}` makes a condition that is always true; put everything inside.",
    "GATE-UNKNOWN": GateUnknown.explanation,
    "PHASE-UNKNOWN": PhaseUnknown.explanation,
    "PATTERN": "A deny-list pattern is not valid RE2 syntax (no look-around, no back-references).",
    "PATH-OUTSIDE": "A path leads outside the project.",
    "WORKFLOW-INVALID": "A file that shall be imported is not a workflow of GitHub Actions: it has no jobs.",
    "CONTRACT-FILE": "A contract, or a file it refers to, cannot be read; links, pipes and files above 1 MiB are not.",
    "CONTRACT-ID": "`$id` is `urn:cmr:contract:Name:MAJOR.MINOR`, as the file is called, and stands once.",
    "CONTRACT-JSON": "Contracts are strict JSON: no key twice, no NaN, at most 100 levels deep.",
    "CONTRACT-NAME": "Contracts are files `contracts/events/Name@MAJOR.MINOR.json`; the name begins with a capital.",
    "CONTRACT-REF": "`$ref` leads to a file of the project or the `$id` of a contract. Nothing is ever fetched.",
    "MODELS-CONTRACT": "A contract cannot be written in a language; the message says what in it cannot, and why.",
    "MODELS-FILE": "Generated code replaces and removes only files that generate-models has written itself.",
    "MODELS-MANIFEST": "contracts/models/manifest.json tells which files are generated; it is not edited by hand.",
    "CONTRACT-SCHEMA": "A contract is a JSON Schema of draft 2020-12, with known formats and linear-time patterns.",
    "SETTING-VALUE": "A setting given by a flag or an environment variable has a value that it cannot have.",
}
"""What each problem code of a file means."""
