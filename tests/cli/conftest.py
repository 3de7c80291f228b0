"""The recorded runs of the document tests serve the tests of the terminal, too."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

_spec = spec_from_file_location("recorded_runs", Path(__file__).parents[1] / "documents" / "conftest.py")
assert _spec is not None
assert _spec.loader is not None
_recorded = module_from_spec(_spec)
_spec.loader.exec_module(_recorded)

record = _recorded.record
recorder = _recorded.recorder
