"""A corpus for secret scanners, made at run time from a seed:  `python benchmarks/secrets_corpus.py FOLDER`.

Every file has one secret or none. What is written here finds nothing in this repository and opens nothing anywhere.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from secrets_carriers import DISGUISES, FORMATS, ODD, Carrier, carried
from secrets_kinds import GENERIC, KNOWN, Maker
from secrets_negatives import NEGATIVES

SEED = 20_260


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One file. `group` is known, generic or negative; `form` says what it lies in: a format, a carrier, a disguise."""

    group: str
    kind: str
    form: str
    path: str
    data: bytes

    @property
    def secret(self) -> bool:
        """Tell whether there is a secret in it."""
        return self.group != "negative"


def corpus(seed: int = SEED, *, each: int = 3) -> Iterator[Sample]:
    """Yield the samples: `each` of every kind in every format, one in every odd carrier and disguise."""
    yield from _secrets("known", KNOWN, seed, each)
    yield from _secrets("generic", GENERIC, seed, each)
    for kind, make in NEGATIVES.items():
        random = Random(f"{seed} {kind}")
        for _ in range(each * 2):
            file = make(random)
            yield Sample(group="negative", kind=kind, form="", path=file.path, data=file.data)


def _secrets(group: str, kinds: Mapping[str, Maker], seed: int, each: int) -> Iterator[Sample]:
    for kind, make in kinds.items():
        random = Random(f"{seed} {kind}")
        if make(Random(seed)).block:
            forms: list[tuple[str, Carrier]] = [("a file of its own", FORMATS["python"])] * each
        else:
            forms = [item for item in FORMATS.items() for _ in range(each)] + [*ODD.items(), *DISGUISES.items()]
        for form, carrier in forms:
            file = carried(make(random), carrier, random)
            yield Sample(group=group, kind=kind, form=form, path=file.path, data=file.data)


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the corpus of secrets into an empty folder.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    for number, sample in enumerate(corpus(given.seed)):
        path = given.folder / f"{number:05}" / sample.path
        path.parent.mkdir(parents=True)
        path.write_bytes(sample.data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
