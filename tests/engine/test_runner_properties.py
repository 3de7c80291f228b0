"""Any graph with any results against an oracle that knows nothing of the engine; and a crash after any event."""

import asyncio
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli_multi_rapid.model.events import Kind
from cli_multi_rapid.model.gate import GateStatus
from cli_multi_rapid.system.store import verify_chain
from cli_multi_rapid.testing import (
    FAILS,
    HANGS,
    MISSING,
    RUN_ID,
    TIMES_OUT,
    Act,
    Drill,
    MemoryStore,
    ScriptedGates,
    phase,
    retry,
    run_plan,
    step,
)

ACTS = {"success": Act(), "failure": FAILS, "timeout": TIMES_OUT, "error": MISSING}
BAD = {"failure", "timeout", "error"}
MANY = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


# -- the oracle: plain words and dictionaries


@dataclass(frozen=True)
class Plan:
    """One step as the oracle sees it. `condition` is None, False or one of the status functions."""

    name: str
    needs: tuple
    condition: object
    ends: str
    soft: bool
    writes: bool
    turns: int


@dataclass(frozen=True)
class PhasePlan:
    name: str
    needs: tuple
    steps: tuple
    finals: tuple


def expected(phases):
    """Return how everything ends: steps by key, phases by name, and the run."""
    steps, ended = {}, {}
    for one in phases:
        if any(ended[need] != "success" for need in one.needs):
            ended[one.name] = "skipped"
            continue
        own = {}
        for plan in one.steps:
            rests_on, todo = set(), list(plan.needs)
            while todo:
                need = todo.pop()
                rests_on.add(need)
                todo += next(other.needs for other in one.steps if other.name == need)
            own[plan.name] = end(plan, failed=any(own[name] in BAD for name in rests_on), final=False)
        for plan in one.finals:
            own[plan.name] = end(plan, failed=any(status in BAD for status in own.values()), final=True)
        steps |= {f"{one.name}/{name}": status for name, status in own.items()}
        ended[one.name] = whole(own.values())
    return steps, ended, whole(ended.values())


def end(plan, *, failed, final):
    runs = {
        None: final or not failed,
        False: False,
        "success()": not failed,
        "failure()": failed,
        "always()": True,
        "cancelled()": False,
        "!cancelled()": True,
    }[plan.condition]
    if not runs:
        return "skipped"
    return "success" if plan.soft else plan.ends


def whole(parts):
    parts = set(parts)
    if parts & {"failure", "timeout"}:
        return "failure"
    return "error" if "error" in parts else "success"


# -- any plan


@st.composite
def step_plans(draw, names, *, chain):
    plans = []
    for place, name in enumerate(names):
        before = names[:place]
        needs = (
            tuple(before[-1:])
            if chain
            else tuple(draw(st.lists(st.sampled_from(before), unique=True)) if before else ())
        )
        plans.append(
            Plan(
                name=name,
                needs=needs,
                condition=draw(
                    st.sampled_from(
                        [None, None, None, False, "success()", "failure()", "always()", "cancelled()", "!cancelled()"]
                    )
                ),
                ends=draw(st.sampled_from(["success", "success", "success", *sorted(BAD)])),
                soft=draw(st.integers(0, 5)) == 0,
                writes=draw(st.booleans()),
                turns=draw(st.integers(1, 4)),
            )
        )
    return tuple(plans)


@st.composite
def phase_plans(draw):
    phases = []
    for number in range(draw(st.integers(1, 3))):
        before = [one.name for one in phases]
        mains = [f"s{place}" for place in range(draw(st.integers(1, 6)))]
        finals = [f"f{place}" for place in range(draw(st.integers(0, 2)))]
        phases.append(
            PhasePlan(
                name=f"p{number}",
                needs=tuple(draw(st.lists(st.sampled_from(before), unique=True)) if before else ()),
                steps=draw(step_plans(mains, chain=False)),
                finals=draw(step_plans(finals, chain=True)),
            )
        )
    return tuple(phases)


def spec_of(plan, *, final):
    needs = {} if final else {"needs": plan.needs}
    return step(plan.name, if_=plan.condition, continue_on_error=plan.soft, writes=None if plan.writes else (), **needs)


def drill_of(phases, folder, *, parallel, store=None):
    specs = tuple(
        phase(
            one.name,
            *(spec_of(plan, final=False) for plan in one.steps),
            finally_=tuple(spec_of(plan, final=True) for plan in one.finals),
            needs=one.needs,
        )
        for one in phases
    )
    scripts = {
        f"{one.name}/{plan.name}": replace(ACTS[plan.ends], turns=plan.turns)
        for one in phases
        for plan in (*one.steps, *one.finals)
    }
    return Drill(plan=run_plan(*specs, parallel=parallel), folder=folder, scripts=scripts, store=store or MemoryStore())


def ended(state):
    steps = {key: one.status.value for key, one in state.steps.items() if one.status.ended}
    return steps, {name: status.value for name, status in state.phases.items()}, state.status.value


def check_overlaps(drill, phases, *, parallel):
    writers = {f"{one.name}/{plan.name}" for one in phases for plan in (*one.steps, *one.finals) if plan.writes}
    running = set()
    for what, key in drill.children.trace:
        if what == "start":
            running.add(key)
        else:
            running.remove(key)
        assert len(running) <= parallel
        assert len(running) <= 1 or not running & writers, running
    assert running == set()


def check_order(events, phases):
    """Everything ends once, and starts after what it rests on has ended; skipped steps never start."""
    at = {}
    for event in events:
        if event.step:
            assert (event.kind, event.step) not in at, "no retries here: once each"
            at[event.kind, event.step] = event.seq
    for one in phases:
        opened = at.get((Kind.PHASE_STARTED, one.name))
        closed = at[Kind.PHASE_FINISHED, one.name]
        for need in one.needs if opened else ():
            assert at[Kind.PHASE_FINISHED, need] < opened
        for plan in (*one.steps, *one.finals):
            key = f"{one.name}/{plan.name}"
            begin = at.get((Kind.STEP_STARTED, key))
            if opened is None:
                assert begin is None
                continue
            assert opened < at[Kind.STEP_FINISHED, key] < closed
            for need in plan.needs if begin else ():
                assert at[Kind.STEP_FINISHED, f"{one.name}/{need}"] < begin
        for final in one.finals if opened else ():
            for plan in one.steps:
                assert (
                    at[Kind.STEP_FINISHED, f"{one.name}/{plan.name}"]
                    < at[Kind.STEP_FINISHED, f"{one.name}/{final.name}"]
                )


@MANY
@given(phases=phase_plans(), parallel=st.integers(1, 4))
def test_any_graph_with_any_results_ends_as_the_oracle_says(phases, parallel):
    with tempfile.TemporaryDirectory() as folder:
        drill = drill_of(phases, Path(folder), parallel=parallel)
        state = drill.drive()
        assert ended(state) == expected(phases)
        assert ended(drill.state()) == expected(phases)
        assert state.exit_code == {"success": 0, "error": 3}.get(state.status.value, 1)
        check_overlaps(drill, phases, parallel=parallel)
        check_order(drill.store.events(RUN_ID), phases)


# -- a crash after any event


def check_every_crash(make, full, *, since=1):
    """Take a run up from every beginning of its record; it must end the same, and repeat nothing that is recorded."""
    events = full.store.events(RUN_ID)
    end = ended(full.state())
    for seq in range(since, len(events)):
        done = {event.step for event in events[:seq] if event.kind is Kind.STEP_FINISHED}
        judged = {event.payload["id"] for event in events[:seq] if event.kind is Kind.GATE_FINISHED}
        started = {(event.step, event.attempt) for event in events[:seq] if event.kind is Kind.STEP_STARTED}
        with tempfile.TemporaryDirectory() as folder:
            drill = make(Path(folder), full.store.as_of(RUN_ID, seq))
            state = drill.drive()
            assert ended(state) == end, f"after event {seq}"
            repeated = [command for command in drill.children.commands if command.tag.partition(":")[2] in done]
            assert repeated == [], f"after event {seq}"
            asked = {name for _, wanted in drill.gates.asked for name in wanted}
            assert not asked & judged, f"after event {seq}"
            attempts = {(one.env["CMR_STEP"], int(one.env["CMR_ATTEMPT"])) for one in drill.children.commands}
            assert not attempts & started, f"after event {seq}: an attempt has its number for itself"
            assert verify_chain(drill.store.events(RUN_ID)) is None
            assert drill.state().status is state.status


@settings(MANY, max_examples=25)
@given(phases=phase_plans(), parallel=st.integers(1, 3))
def test_any_run_ends_the_same_after_a_crash_at_any_event(phases, parallel):
    def make(folder, store):
        return drill_of(phases, folder, parallel=parallel, store=store)

    with tempfile.TemporaryDirectory() as folder:
        full = make(Path(folder), MemoryStore())
        full.drive()
        check_every_crash(make, full)


def by_retries(drill, key, *acts):
    """Return a script that depends on what is recorded: acts by how many attempts ran to their end."""

    def act(command):
        retried = [one for one in drill[0].store.events(RUN_ID) if one.kind is Kind.STEP_RETRIED and one.step == key]
        return acts[len(retried)]

    return act


PART = "${{ artifacts.part }}${{ matrix.v }}"
SUM = "${{ join(steps.make.outputs.o, '+') }}"
RICH = (
    phase(
        "a",
        step("make", matrix={"v": (1, 2, 3)}, produces={"part": "p"}, outputs={"o": PART}),
        step("flaky", retry=retry(3), writes=()),
        step("sum", env={"ALL": SUM}, outputs={"all": SUM}),
        step("soft", continue_on_error=True),
        step("never", if_="steps.soft.outcome == 'success'"),
        gates=("one", "part"),
        finally_=(step("tidy", env={"STATUS": "${{ run.status }}"}), step("alarm", if_="failure()")),
    ),
    phase("b", step("use", env={"ALL": "${{ needs.a.steps.sum.outputs.all }}"}), needs=("a",), gates=("two",)),
    phase("c", step("x", writes=()), step("y", needs=(), writes=())),
)  # fmt: skip


@pytest.mark.parametrize("flaky", ["succeeds", "fails"])
@pytest.mark.parametrize("verdict", [GateStatus.PASS, GateStatus.FAIL, GateStatus.ERROR])
def test_a_run_with_everything_in_it_ends_the_same_after_a_crash_at_any_event(tmp_path, flaky, verdict):
    def make(folder, store):
        box = []
        last = Act() if flaky == "succeeds" else FAILS
        parts = {f"a/make[{number}]": Act(files={"p": f"content{number}"}) for number in range(3)}
        drill = Drill(
            plan=run_plan(*RICH, final_gates=("three",), parallel=3), folder=folder, store=store,
            scripts={**parts, "a/flaky": by_retries(box, "a/flaky", FAILS, TIMES_OUT, last), "a/soft": FAILS},
            gates=ScriptedGates({"two": verdict}),
        )  # fmt: skip
        box.append(drill)
        return drill

    full = make(tmp_path, MemoryStore())
    state = full.drive()
    wanted = {GateStatus.PASS: "success", GateStatus.FAIL: "failure", GateStatus.ERROR: "error"}[verdict]
    assert state.status.value == ("failure" if flaky == "fails" else wanted)
    if flaky == "succeeds":
        (use,) = [one for one in full.children.commands if one.env["CMR_STEP"] == "b/use"]
        assert use.env["ALL"] == "content01+content12+content23"
    check_every_crash(make, full)


def test_a_cancelled_run_ends_the_same_after_a_crash_at_any_event_since(tmp_path, cancelled):
    plan = run_plan(
        phase("a", "x", step("m", matrix={"v": (1, 2, 3)}), "y", finally_=(step("z"), step("w"))), phase("b", "x")
    )

    def make(folder, store):
        return Drill(plan=plan, folder=folder, store=store)

    full = Drill(plan=plan, folder=tmp_path, scripts={"a/m[1]": HANGS})
    assert cancelled(full, at="a/m[1]").status.value == "cancelled"
    events = full.store.events(RUN_ID)
    since = next(event.seq for event in events if event.kind is Kind.STEP_FINISHED and event.step == "a/m[1]")
    check_every_crash(make, full, since=since)
    for seq in range(next(event.seq for event in events if event.kind is Kind.RUN_CANCEL), since):
        with tempfile.TemporaryDirectory() as folder:
            drill = make(Path(folder), full.store.as_of(RUN_ID, seq))
            assert drill.drive().status.value == "cancelled"
            assert drill.children.started() == ["a/z", "a/w"]


@settings(MANY, max_examples=25)
@given(phases=phase_plans(), data=st.data())
def test_any_run_ends_the_same_when_it_is_interrupted_again_and_again(phases, data):
    with tempfile.TemporaryDirectory() as folder:
        drill = drill_of(phases, Path(folder), parallel=2)

        async def some(number):
            runner = drill.runner()
            driving = asyncio.create_task(runner.drive())
            for _ in range(number):
                await asyncio.sleep(0)
            runner.interrupt("SIGTERM")
            return await driving

        done = set()
        for _ in range(12):
            state = asyncio.run(some(data.draw(st.integers(0, 30))))
            assert not done & set(drill.children.started()), "what has ended is not run again"
            if state.status.ended:
                break
            assert state.interrupted == "SIGTERM"
            assert state.idle_takes == 0
            done = {event.step for event in drill.store.events(RUN_ID) if event.kind is Kind.STEP_FINISHED}
            drill = drill_of(phases, Path(folder), parallel=2, store=drill.store)
        else:
            state = drill.drive()
        assert ended(state) == expected(phases)
