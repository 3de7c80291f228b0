"""Filling in a template, in a child of its own with limits on memory and processor time.

Only templates of the trusted project are run; values are data. The child gets one JSON object on its command line's
file: {"template", "name", "values", "limit_bytes"}, and writes the text to the file beside it.
"""

import json
import sys
from pathlib import Path

MEMORY_BYTES = 1 << 30
PROCESSOR_S = 20
OUTPUT_BYTES = 16 << 20
_MARKUP = (".html", ".htm", ".xml", ".svg")


def argv(request: Path, result: Path) -> tuple[str, ...]:
    """Return the command that renders: this interpreter, isolated from the project."""
    start = "from cli_multi_rapid.system.rendering import main; main()"
    return (sys.executable, "-I", "-c", start, str(request), str(result))


def main() -> None:
    """Render what the first argument asks for into the second one; problems go to standard error, exit code 1."""
    _limit()
    request, result = map(Path, sys.argv[1:])
    asked = json.loads(request.read_bytes())
    try:
        text = rendered(asked["template"], name=asked["name"], values=asked["values"])
    except (MemoryError, RecursionError):
        sys.exit(f"{asked['name']}: takes more memory than is allowed")
    except Exception as wrong:  # noqa: BLE001  a template can raise anything; the child is the boundary
        line = getattr(wrong, "lineno", None)
        sys.exit(f"{asked['name']}{f':{line}' if line else ''}: {type(wrong).__name__}: {wrong}")
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > OUTPUT_BYTES:
        sys.exit(f"{asked['name']}: the text has {len(data)} bytes, more than {OUTPUT_BYTES}")
    result.write_bytes(data)


def rendered(template: str, *, name: str, values: dict[str, object]) -> str:
    """Return a template with values filled in; an unknown name is an error, and Python's insides are out of reach."""
    from jinja2 import DictLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        loader=DictLoader({name: template}), undefined=StrictUndefined, keep_trailing_newline=True,
        trim_blocks=True, lstrip_blocks=True, autoescape=name.removesuffix(".j2").endswith(_MARKUP),
    )  # fmt: skip
    return environment.get_template(name).render(values)


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows: only the time limit of the step holds
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_S, PROCESSOR_S))
