"""Checks of everything a phase refers to: ids, needs, gates, and the expressions of all steps."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from cli_multi_rapid.engine.expressions import (
    STATUS_FUNCTIONS,
    Expression,
    ExpressionError,
    compile_expression,
    condition_text,
    split_template,
)
from cli_multi_rapid.engine.interpreters import code_arguments
from cli_multi_rapid.engine.outline import Outline, Spot
from cli_multi_rapid.engine.vocabulary import CONTEXTS, MEMBERS, PHASE_MEMBERS, RESULT_MEMBERS, VISIBLE, Place
from cli_multi_rapid.model.phase import GateUse, PhaseSpec
from cli_multi_rapid.system.document import Findings
from cli_multi_rapid.system.faults import choice
from cli_multi_rapid.system.positions import Trail
