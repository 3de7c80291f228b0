"""Trying cases: in turns from every fault, several at a time, until all are tried or the time is over."""

import random
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import TypeVar

import killing
import processes
from cases import Case, Facts, Fault
from table import Outcome, Row, Tried
from trial import MissedError, NotRunError, Trial, Violation
from verdict import judge

_NEWS_S = 30.0
_LATE = "no time was left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be tried, for how long, and with which protection off.

    Of each fault `at_least` so many cases are tried, however long that takes.
    """

    faults: Sequence[Fault]
    folder: Path
    keep: bool
    seed: int
    case: int | None
    seconds: float
    at_least: int
    pause_s: float
    workers: int
    without: str

    def trial(self, name: str) -> Trial:
        """Make the surroundings of a case."""
        folder = self.folder / name.replace("/", "-")
        return Trial(folder=folder, seed=f"{self.seed}/{name}", without=self.without, pause_s=self.pause_s)


Turn = tuple[Row, int, Case]
Found = TypeVar("Found")


@dataclass(slots=True, kw_only=True)
class _Work:
    """The cases that wait, and what is known so far. Shared between threads."""

    plan: Plan
    rows: Sequence[Row]
    waiting: deque[Turn]
    began: float
    news: float
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self) -> Turn | None:
        """Return a case that may still be tried."""
        with self.lock:
            while self.waiting:
                row, number, case = self.waiting.popleft()
                if not row.not_run and not self._is_over(row):
                    row.begun += 1
                    return row, number, case
            return None

    def done(self, row: Row, tried: Tried) -> None:
        """Note what came of a case."""
        with self.lock:
            row.tried.append(tried)
            self._tell()

    def refuse(self, row: Row, why: str) -> None:
        """Note that a fault cannot be made."""
        with self.lock:
            row.not_run = why

    def _is_over(self, row: Row) -> bool:
        if self.plan.without and any(row.count for row in self.rows):
            return True
        if row.begun < self.plan.at_least:
            return False
        seconds = [one.seconds for row in self.rows for one in row.tried]
        usual_s = sum(seconds) / len(seconds) if seconds else 0.0
        return time.monotonic() - self.began + usual_s > self.plan.seconds

    def _tell(self) -> None:
        if time.monotonic() - self.news < _NEWS_S:
            return
        self.news = time.monotonic()
        cases, found = sum(len(row.tried) for row in self.rows), sum(row.count for row in self.rows)
        print(f"{self.news - self.began:.0f} s: {cases} cases, {found} violations", file=sys.stderr, flush=True)


def run_all(plan: Plan) -> Outcome:
    """Try cases of all faults of a plan."""
    began = time.monotonic()
    rows = {fault.name: Row(fault=fault.name, summary=fault.summary) for fault in plan.faults}
    for fault in plan.faults:
        rows[fault.name].not_run = fault.unfit()
    try:
        facts = _look(plan, rows)
    except NotRunError as broken:
        return _hopeless(plan, list(rows.values()), str(broken))
    turns = [list(_turns(plan, fault, rows[fault.name], facts)) for fault in plan.faults]
    mixed = deque(turn for together in zip_longest(*turns) for turn in together if turn is not None)
    work = _Work(plan=plan, rows=list(rows.values()), waiting=mixed, began=began, news=began)
    with ThreadPoolExecutor(plan.workers) as pool:
        working = [pool.submit(_try_cases, work) for _ in range(plan.workers)]
        try:
            wait(working)
        except KeyboardInterrupt:
            work.waiting.clear()  # what is known is shown when the cases at work have ended
        for done in working:
            done.result()
    for row in rows.values():
        if not row.tried and not row.not_run and not plan.without:
            row.not_run = _LATE
    return Outcome(rows=list(rows.values()), seed=plan.seed, seconds=time.monotonic() - began, without=plan.without)


def _look(plan: Plan, rows: dict[str, Row]) -> Facts:
    """Find out what a run without faults is like, as far as the chosen faults need to know it."""
    wanted = [fault for fault in plan.faults if not rows[fault.name].not_run]
    on_syncs = [fault.name for fault in wanted if fault.traced]
    with ThreadPoolExecutor(2) as pool:
        needed = not plan.without or any(one.timed for one in wanted)
        timed = pool.submit(_looked, plan, "look", _count_commits) if needed else None
        traced = pool.submit(_looked, plan, "trace", killing.count_syncs) if on_syncs else None
        commits, duration_s = timed.result() if timed else (0, 0.0)
        try:
            return Facts(commits=commits, duration_s=duration_s, syncs=traced.result() if traced else 0)
        except NotRunError as refused:
            for name in on_syncs:
                rows[name].not_run = str(refused)
    return Facts(commits=commits, duration_s=duration_s)


def _hopeless(plan: Plan, rows: Sequence[Row], why: str) -> Outcome:
    """Return the outcome where even a run without faults fails: one violation, and nothing tried."""
    for row in rows:
        row.not_run = row.not_run or "a run without faults fails"
    violation = Violation(kind="unfinished", sentence=why)
    rows[0].tried.append(Tried(number=1, title="before all cases", seconds=0.0, missed=True, violations=[violation]))
    return Outcome(rows=rows, seed=plan.seed, seconds=0.0, without=plan.without)


def _looked(plan: Plan, name: str, look: Callable[[Trial], Found]) -> Found:
    trial = plan.trial(name)
    try:
        return look(trial)
    finally:
        trial.clear(keep=plan.keep)


def _count_commits(trial: Trial) -> tuple[int, float]:
    """Run without faults; return the number of commits and how long the program took."""
    count = trial.folder / "count.txt"
    began = time.monotonic()
    ended = trial.start(*trial.first, plan={"count": str(count)}).wait()
    if ended.code != 0 or not count.exists():
        raise NotRunError(f"a run without faults ends with {ended.code}: {ended.last_lines}")
    return int(count.read_text(encoding="utf-8")), time.monotonic() - began


def _turns(plan: Plan, fault: Fault, row: Row, facts: Facts) -> Iterator[Turn]:
    if row.not_run:
        return
    numbered = list(enumerate(fault.cases(facts), start=1))
    row.planned = len(numbered)
    random.Random(f"{plan.seed}/{fault.name}").shuffle(numbered)  # an early end leaves a fair sample
    yield from ((row, number, case) for number, case in numbered if plan.case in (None, number))


def _try_cases(work: _Work) -> None:
    while (turn := work.next()) is not None:
        row, number, case = turn
        try:
            work.done(row, _tried(work.plan, row, number, case))
        except NotRunError as refused:
            work.refuse(row, str(refused))


def _tried(plan: Plan, row: Row, number: int, case: Case) -> Tried:
    began = time.monotonic()
    trial = plan.trial(f"{row.fault}/{number}")
    try:
        with processes.Watch(trial.oracle, trial.token, report=trial.note):
            case.act(trial)
        if not trial.judged:
            judge(trial)
    except MissedError:
        trial.missed = True
    except NotRunError:
        raise
    except Exception:  # noqa: BLE001  what cannot be judged is not passed over
        trial.note("unjudged", traceback.format_exc(limit=-2).strip().replace("\n", " | "))
    finally:
        trial.clear(keep=plan.keep)
    seconds = time.monotonic() - began
    return Tried(number=number, title=case.title, seconds=seconds, missed=trial.missed, violations=trial.violations)
