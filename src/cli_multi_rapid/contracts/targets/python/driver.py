"""Reads documents from standard input, and writes for each the document again, or why not. It runs alone.

A request is the number of its bytes, a newline, and the bytes; an answer is a line `OK json` or `ERR place<tab>reason`.
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location


def main(file: str, name: str) -> None:
    """Answer every request by a generated module, whose class is `name`."""
    spec = spec_from_file_location("generated", file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["generated"] = module_from_spec(spec)
    spec.loader.exec_module(module)
    refused = getattr(module, f"{name}Error")
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while line := source.readline():
        data = source.read(int(line))
        try:
            said = f"OK {module.parse(data).to_json()}"
        except refused as wrong:
            said = f"ERR #{_shown(wrong.pointer)}\t{_shown(wrong.reason)}"
        target.write(said.encode("utf-8") + b"\n")


def _shown(text: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in text)


if __name__ == "__main__":
    main(*sys.argv[1:])
