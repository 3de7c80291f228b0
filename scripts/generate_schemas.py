"""Write what the package ships of schemas: that of every file format, from the dataclasses that execute it, and the
contracts of the program's own events, from contracts/events. `--check` only compares.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from cli_multi_rapid.model.gate_settings import GATES_SCHEMA, GateFile
from cli_multi_rapid.model.phase import SCHEMA, PhaseSpec
from cli_multi_rapid.model.policy import WAIVERS_SCHEMA, WaiverFile
from cli_multi_rapid.model.report import REPORT_SCHEMA, ReportFile
from cli_multi_rapid.model.settings import CONFIG_SCHEMA, ConfigFile

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "src" / "cli_multi_rapid" / "model" / "schemas"
EVENTS = ROOT / "contracts" / "events"
FORMATS: dict[str, tuple[type, str, str]] = {
    "phase": (PhaseSpec, SCHEMA, "A phase of CLI Multi-Rapid"),
    "gates": (GateFile, GATES_SCHEMA, "Compliance gates of CLI Multi-Rapid"),
    "waivers": (WaiverFile, WAIVERS_SCHEMA, "Waivers of CLI Multi-Rapid"),
    "config": (ConfigFile, CONFIG_SCHEMA, "Configuration of CLI Multi-Rapid"),
    "report": (ReportFile, REPORT_SCHEMA, "Report of a run of CLI Multi-Rapid"),
}


def schema(name: str) -> str:
    """Return the JSON Schema of a format as text."""
    shape, version, title = FORMATS[name]
    made = TypeAdapter(shape).json_schema(by_alias=True)
    definitions = made.pop("$defs", {})
    for node in (made, *definitions.values()):
        _tidy(node, definitions)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{version.replace('/', ':').replace('@', ':')}",
        "title": title,
    }
    body = {**head, **made, "$defs": {key: definitions[key] for key in sorted(definitions)}}
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"


def events() -> str:
    """Return the contracts of the program's own events and what they refer to as one text, a file a line."""
    paths = sorted([*EVENTS.glob("*.json"), *EVENTS.glob("parts/*.json")])
    lines = (
        f"{json.dumps(path.relative_to(ROOT).as_posix())}: {json.dumps(json.loads(path.read_bytes()))}"
        for path in paths
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


def made() -> dict[str, str]:
    """Return the content of every file by its name."""
    return {"events.json": events(), **{f"{name}.schema.json": schema(name) for name in FORMATS}}


def main() -> int:
    """Write the files, or with `--check` return 1 if one of them would change."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file would change")
    check = parser.parse_args().check
    changed = {name: text for name, text in made().items() if _current(name) != text}
    for name, text in changed.items():
        sys.stderr.write(f"{name} {'differs from the model' if check else 'written'}\n")
        if not check:
            FOLDER.mkdir(exist_ok=True)
            (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
    return 1 if check and changed else 0


def _current(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8") if (FOLDER / name).exists() else ""


def _tidy(node: dict[str, Any], definitions: dict[str, Any]) -> None:
    """Leave out titles, which only repeat the keys; repeat the description of a referred type where it is the same."""
    node.pop("title", None)
    for part in node.get("properties", {}).values():
        part.pop("title", None)
        if "description" not in part:
            part["description"] = definitions[part["$ref"].rsplit("/", 1)[1]]["description"]


if __name__ == "__main__":
    sys.exit(main())
