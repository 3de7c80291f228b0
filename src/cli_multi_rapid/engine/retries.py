"""Whether a failed attempt is tried again, and when."""

from cli_multi_rapid.model.phase import Backoff, Retry, duration_s
from cli_multi_rapid.model.run import Status, StepResult


def pause_s(policy: Retry, result: StepResult, *, tries: int) -> float | None:
    """Return the seconds to wait before the next attempt, or None if there is none.

    `tries` counts the attempts that ran to their end, this one included. What could not run at all (a missing tool)
    is not tried again. The pause is `initial`, or grows as initial * 2^(tries - 1); `max` limits both.
    """
    if result.status not in (Status.FAILURE, Status.TIMEOUT) or tries >= policy.attempts:
        return None
    if policy.on and not any(_matches(condition, result) for condition in policy.on):
        return None
    growth = 1.0 if policy.backoff is Backoff.FIXED else 2.0 ** (tries - 1)
    return min(duration_s(policy.initial) * growth, duration_s(policy.max))


def _matches(condition: str, result: StepResult) -> bool:
    if condition == "timeout":
        return result.status is Status.TIMEOUT
    if condition == "failure":
        return result.status is Status.FAILURE
    return condition == f"exit:{result.code}"
