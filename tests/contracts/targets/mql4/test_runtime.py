"""What generated MQL4 makes of documents: what the validator says of them, and the same document again."""

from functools import partial

from contract_samples import DOCUMENTS, WIDE
from rich_contract import RICH, opened

from cli_multi_rapid.contracts.roundtrip import cases, proven

NUL = "\\u0000"


def test_the_verdict_is_that_of_the_validator_and_nothing_changes(mql4, through):
    made = mql4(WIDE, "Wide@1.0")
    documents = [one for one in DOCUMENTS if NUL not in one]
    assert len(documents) > len(DOCUMENTS) - 10
    assert made.differences(documents, through(made, documents)) == []


def test_generated_documents_come_back_equal_and_changed_ones_are_refused(mql4, through):
    from dataclasses import replace

    made, one = mql4(RICH), opened(RICH)
    judge = replace(one.judge, nul=False)
    given = cases(judge, seed=3, count=200, changed=400)
    proof = proven(judge, given, partial(through, made))
    assert proof.failure is None
    assert proof.equal >= 140
    assert proof.refused >= 300
