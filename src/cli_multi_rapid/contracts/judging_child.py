"""The process in which one check of a project judges its contracts: `python -I -m …contracts.judging_child FILE`.

See `system.judging_child`.
"""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from cli_multi_rapid.contracts.judging import context_of
from cli_multi_rapid.contracts.loading import load_contracts
from cli_multi_rapid.contracts.strict_json import LIMIT_BYTES
from cli_multi_rapid.model.contract import Violation
from cli_multi_rapid.system.files import read_inside
from cli_multi_rapid.system.judging_child import Check, serve

MAX_VIOLATIONS = 10_000
_EXPECTED = "expected a list of ctx.violation(...)"


def main(request: Path) -> None:
    """Load the check, let it judge every contract, and write its answer."""
    serve(request, _judged)


def _judged(asked: dict[str, Any], check: Check) -> dict[str, object]:
    root = asked["root"]
    found = load_contracts(asked["names"], partial(read_inside, root, limit_bytes=LIMIT_BYTES))
    judged: dict[str, object] = {}
    for one in found.contracts:
        said = _said(check(context_of(found, one, root=root)))
        if isinstance(said, str):
            return {"failed": f"{asked['path']}: check returned {said}; {_EXPECTED}"}
        judged[one.path] = said
    return {"contracts": judged}


def _said(returned: object) -> list[list[str]] | str:
    """Return what `check` returned as places and reasons, or in words what is wrong with it."""
    if not isinstance(returned, list | tuple | Iterator):
        return "None" if returned is None else f"{type(returned).__name__} {returned!r:.40}"
    said: list[list[str]] = []
    for one in returned:
        if not isinstance(one, Violation):
            return f"a list with {type(one).__name__} {one!r:.40}"
        if len(said) == MAX_VIOLATIONS:
            return f"more than {MAX_VIOLATIONS:,} violations"
        said.append([one.place, one.reason])
    return said


if __name__ == "__main__":
    main(Path(sys.argv[1]))
