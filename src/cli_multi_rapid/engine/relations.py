"""Checks of how the parts of a phase name each other: step ids, needs, artifacts, gates."""

from collections.abc import Sequence

from cli_multi_rapid.engine.outline import Outline, Spot
from cli_multi_rapid.system.document import Findings
from cli_multi_rapid.system.faults import choice
from cli_multi_rapid.system.positions import Trail


def check_relations(seen: Outline, findings: Findings, *, gates: frozenset[str] | None) -> None:
    """Note duplicate ids and artifacts, needs that do not exist, circles, and gates that are not defined.

    Where `gates` is None it is not known which gates there are, so none is called unknown.
    """
    main = {spot.step.id for spot in seen.spots if not spot.final}
    last = {spot.step.id for spot in seen.spots if spot.final}
    for spot in seen.spots:
        _id(spot, seen, findings)
        _needs(spot, seen, findings, own=last if spot.final else main)
        _produces(spot, seen, findings)
    _circles(seen, findings)
    _gates(seen, findings, gates)


def _id(spot: Spot, seen: Outline, findings: Findings) -> None:
    first = seen.ids[spot.step.id.lower()]
    if first is spot or not spot.step.id:
        return
    line, _ = findings.document.position((*first.trail, "id"))
    same = "" if first.step.id == spot.step.id else f" (as '{first.step.id}': expressions do not tell them apart)"
    message = f"the step '{spot.step.id}' is already defined in line {line}{same}"
    findings.add("STEP-DUPLICATE", (*spot.trail, "id"), message, fix="give one of the two another id")


def _needs(spot: Spot, seen: Outline, findings: Findings, *, own: set[str]) -> None:
    for i, name in enumerate(spot.step.needs or ()):
        if name in own or "" in own:  # a step without an id could be the one that is meant
            continue
        trail = (*spot.trail, "needs", i)
        if name.lower() not in seen.ids or seen.ids[name.lower()].final is spot.final:
            fix = choice(name, own - {spot.step.id}) or "write  needs: []"
            findings.add("NEED-UNKNOWN", trail, f"there is no step '{name}' to wait for", fix=fix)
        elif spot.final:
            message = f"'{name}' has always ended before the steps of 'finally' start"
            findings.add("NEED-UNKNOWN", trail, message, fix="remove it")
        else:
            message = f"'{name}' is a step of 'finally', which starts when all others have ended"
            findings.add("NEED-UNKNOWN", trail, message, fix="remove it")


def _circles(seen: Outline, findings: Findings) -> None:
    for circle in seen.cycles:
        names = [seen.spots[number].step.id for number in (*circle, circle[0])]
        first = seen.spots[circle[0]]
        needs = first.step.needs or ()
        trail = (*first.trail, "needs", needs.index(names[1])) if names[1] in needs else first.trail
        message = f"these steps wait for each other: {' -> '.join(names)}"
        findings.add("CYCLE", trail, message, fix="remove one of these needs")


def _produces(spot: Spot, seen: Outline, findings: Findings) -> None:
    for name in spot.step.produces:
        first = seen.producers[name.lower()][0]
        if first is not spot:
            message = f"the artifact '{name}' is already produced by '{first.step.id}'"
            trail = (*spot.trail, "produces", name)
            findings.add("ARTIFACT-DUPLICATE", trail, message, fix="give one of the two another name", key=True)


def _gates(seen: Outline, findings: Findings, gates: frozenset[str] | None) -> None:
    uses = [
        (use, ("gates", i)) if isinstance(use, str) else (use.use, ("gates", i, "use"))
        for i, use in enumerate(seen.spec.gates)
    ]
    _listed(uses, findings, gates)
    for spot in seen.spots:
        _listed([(name, (*spot.trail, "accept", i)) for i, name in enumerate(spot.step.accept)], findings, gates)


def _listed(uses: Sequence[tuple[str, Trail]], findings: Findings, gates: frozenset[str] | None) -> None:
    listed: set[str] = set()
    for name, trail in uses:
        if name in listed:
            findings.add("SPEC-VALUE", trail, f"the gate '{name}' is listed twice", fix="remove one of the two")
        elif gates is not None and name not in gates:
            fix = choice(name, gates) or "define it in config/compliance-gates.yaml"
            findings.add("GATE-UNKNOWN", trail, f"the gate '{name}' is not defined", fix=fix)
        listed.add(name)
