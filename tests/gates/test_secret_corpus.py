"""What is found in the generated corpus of the benchmark, beside kingfisher's rules alone."""

from collections import Counter
from pathlib import Path

import pytest

from cli_multi_rapid.gates.secret_scan import SecretScan
from cli_multi_rapid.gates.secrets import _scanner
from cli_multi_rapid.gates.sources import Source

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def found(shared_cache):
    """Files by group, those in which each scanner finds something, and what went wrong in strict."""
    with pytest.MonkeyPatch.context() as here:
        here.syspath_prepend(str(BENCHMARKS))
        from secrets_corpus import corpus

        scanner = _scanner(str(shared_cache))
        scan = SecretScan(scanner)
        count: Counter[tuple[str, str]] = Counter()
        wrong = []
        for sample in corpus(each=1):
            ours = scan.file(Source(sample.path, sample.data)).sightings
            count[sample.group, "files"] += 1
            count[sample.group, "standard"] += any(one.sure for one in ours)
            count[sample.group, "strict"] += bool(ours)
            count[sample.group, "kingfisher"] += any(one.visible for one in scanner.scan(sample.data))
            if bool(ours) != sample.secret:
                wrong.append((sample.kind, sample.form, [one.finding.rule for one in ours]))
    return count, wrong


def test_known_kinds_are_found_in_standard_at_least_as_well(found) -> None:
    count, wrong = found
    assert count["known", "files"] > 900
    assert count["known", "standard"] >= count["known", "kingfisher"]
    assert count["known", "standard"] >= 0.99 * count["known", "files"], wrong


def test_generic_kinds_are_found_in_strict(found) -> None:
    count, wrong = found
    assert count["generic", "strict"] >= 0.97 * count["generic", "files"], wrong
    assert count["generic", "kingfisher"] < 0.5 * count["generic", "files"]


def test_nothing_else_is_blamed(found) -> None:
    count, wrong = found
    assert count["negative", "strict"] == 0, wrong
    assert count["negative", "files"] > 50


def test_the_corpus_is_the_same_for_the_same_seed_and_has_what_it_says(monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from secrets_corpus import corpus
    from secrets_kinds import GENERIC, KNOWN
    from secrets_negatives import NEGATIVES

    assert list(corpus(3, each=1)) == list(corpus(3, each=1))
    assert [one.data for one in corpus(3, each=1)] != [one.data for one in corpus(4, each=1)]
    assert (len(KNOWN) >= 25, len(GENERIC) >= 8, len(NEGATIVES) >= 20) == (True, True, True)
