"""GitHub's expression language, plus `min max sum len`: total, and bounded in depth, length, memory and work.

What differs from GitHub: names of contexts must be known, and text around the braces of a condition is refused.
"""

from cli_multi_rapid.engine.expressions.error import ExpressionError
from cli_multi_rapid.engine.expressions.evaluation import HashFiles, Status
from cli_multi_rapid.engine.expressions.expression import Expression, compile_expression, evaluate
from cli_multi_rapid.engine.expressions.functions import STATUS_FUNCTIONS
from cli_multi_rapid.engine.expressions.template import Part, condition_text, interpolate, split_template
from cli_multi_rapid.engine.expressions.values import to_string, truthy

__all__ = [
    "STATUS_FUNCTIONS",
    "Expression",
    "ExpressionError",
    "HashFiles",
    "Part",
    "Status",
    "compile_expression",
    "condition_text",
    "evaluate",
    "interpolate",
    "split_template",
    "to_string",
    "truthy",
]
