"""datamodel-code-generator, in this process: the one version that our options and checks were made for."""

from functools import cache
from pathlib import Path

from cli_multi_rapid.contracts.targets.python.accepted import Asked, NotAccepted
from cli_multi_rapid.contracts.targets.python.words import compact
from cli_multi_rapid.errors import ToolMissing

GENERATOR = "datamodel-code-generator"
PINNED = "0.89.0"
_FIX = "pip install 'cli-multi-rapid[contracts]'"


def generated(asked: Asked) -> str:
    """Return the classes of a schema, written by the generator.

    Raises:
        ToolMissing: it is not installed, or in another version.
        NotAccepted: it fails.
    """
    require_installed()
    from datamodel_code_generator import Error, InputFileType, LiteralType, PythonVersion, generate
    from datamodel_code_generator.enums import DataModelType, StrictTypes
    from datamodel_code_generator.format import Formatter

    nowhere = Path(Path.cwd().anchor)  # else pyproject.toml and a lock of the folder we are in would have a say
    try:
        made = generate(
            compact(asked.schema), input_filename="contract.json", class_name=asked.root,
            input_file_type=InputFileType.JsonSchema, output_model_type=DataModelType.PydanticV2BaseModel,
            target_python_version=PythonVersion.PY_311, formatters=[Formatter.BUILTIN], disable_timestamp=True,
            use_annotated=True, strict_nullable=True, use_missing_sentinel=True, use_double_quotes=True,
            enum_field_as_literal=LiteralType.All, use_standard_collections=True, use_union_operator=True,
            strict_types=[StrictTypes.str, StrictTypes.int, StrictTypes.float, StrictTypes.bool],
            allow_population_by_field_name=True, aliases=asked.aliases(), settings_path=nowhere,
            lockfile=nowhere / "datamodel-codegen.lock",
        )  # fmt: skip
    except Error as failed:
        raise NotAccepted(str(failed)[:300]) from failed
    assert isinstance(made, str)
    return made


@cache
def require_installed() -> None:
    """Check once that the generator is there.

    Raises:
        ToolMissing: it is not installed, or in another version.
    """
    from importlib import metadata

    try:
        found = metadata.version(GENERATOR)
    except metadata.PackageNotFoundError as absent:
        raise ToolMissing(f"{GENERATOR} is not installed; it writes the models of Python", hint=_FIX) from absent
    if found != PINNED:
        raise ToolMissing(f"{GENERATOR} is {found}; models are made by {PINNED} only", hint=_FIX)
