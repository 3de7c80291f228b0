"""Whether a failed attempt is tried again, and when."""

import pytest

from cli_multi_rapid.engine.retries import pause_s
from cli_multi_rapid.model.phase import Backoff, Retry
from cli_multi_rapid.model.run import Status, StepResult


def ended(status=Status.FAILURE, code=None):
    return StepResult(status=status, outcome=status, code=code)


def pauses(policy, result=None):
    return [pause_s(policy, result or ended(), tries=tries) for tries in range(1, policy.attempts + 1)]


def test_without_a_policy_there_is_one_attempt():
    assert pauses(Retry()) == [None]


def test_pauses_double_up_to_the_longest():
    policy = Retry(attempts=6, initial="2s", max="10s")
    assert pauses(policy) == [2, 4, 8, 10, 10, None]


def test_fixed_pauses_stay_the_same():
    policy = Retry(attempts=4, initial="250ms", backoff=Backoff.FIXED)
    assert pauses(policy) == [0.25, 0.25, 0.25, None]


@pytest.mark.parametrize("backoff", Backoff)
def test_no_pause_is_longer_than_the_longest(backoff):
    assert pauses(Retry(attempts=3, initial="2m", max="5s", backoff=backoff)) == [5, 5, None]


def test_no_pause_at_all():
    assert pauses(Retry(attempts=3, initial="0s")) == [0, 0, None]


def test_twenty_attempts_of_a_year_do_not_overflow():
    assert pauses(Retry(attempts=20, initial="365d", max="365d"))[18] == 365 * 24 * 3600


@pytest.mark.parametrize("status", [Status.SUCCESS, Status.ERROR, Status.CANCELLED, Status.SKIPPED])
def test_only_what_ran_and_failed_is_tried_again(status):
    assert pause_s(Retry(attempts=9), ended(status), tries=1) is None


@pytest.mark.parametrize("tries", [3, 4, 99])
def test_more_tries_than_allowed_end_it(tries):
    assert pause_s(Retry(attempts=3), ended(), tries=tries) is None


@pytest.mark.parametrize(
    ("on", "result", "again"),
    [
        ((), ended(), True),
        ((), ended(Status.TIMEOUT), True),
        (("timeout",), ended(Status.TIMEOUT), True),
        (("timeout",), ended(), False),
        (("failure",), ended(), True),
        (("failure",), ended(Status.TIMEOUT), False),
        (("exit:3",), ended(code=3), True),
        (("exit:3",), ended(code=33), False),
        (("exit:3",), ended(code=None), False),
        (("exit:0",), ended(code=0), True),
        (("timeout", "exit:75"), ended(code=75), True),
        (("timeout", "failure"), ended(Status.ERROR), False),
    ],
)
def test_what_is_tried_again_can_be_chosen(on, result, again):
    assert (pause_s(Retry(attempts=2, on=on), result, tries=1) is not None) is again
