"""What the checks of contracts said, as data and as lines for people."""

from collections import Counter
from collections.abc import Iterable, Sequence

from cli_multi_rapid.documents.text import printable
from cli_multi_rapid.model.contract import CheckStatus, ContractCheck, ContractResult, EventResult


def status_of(results: Sequence[ContractResult]) -> CheckStatus:
    """Return the worst status: an error, then a failure, then what was not run although it had to be."""
    checks = [check for one in results for check in one.checks]
    return _worst(one.status for one in checks if one.status is not CheckStatus.NOT_RUN or one.needed)


def exit_code(results: Sequence[ContractResult]) -> int:
    """Return 0 where everything passed, 1 where a contract is violated, 3 where something could not be judged."""
    return _code(status_of(results))


def contracts_data(results: Sequence[ContractResult]) -> dict[str, object]:
    """Return what `validate-contracts --json` prints."""
    return {
        "status": status_of(results).value,
        "contracts": [
            {
                "name": one.name,
                "version": one.version,
                "checks": [
                    {
                        "check": check.check, "target": check.target or None, "status": check.status.value,
                        "detail": check.detail, "pointer": check.pointer, "needed": check.needed,
                    }
                    for check in one.checks
                ],
            }
            for one in results
        ],
    }  # fmt: skip


def contracts_lines(results: Sequence[ContractResult]) -> list[str]:
    """Return a line for each contract, and below it one for each check that did not pass; what repeats, once.

    Of round trips it also says what was executed, and at the end what was not, although nobody needs it.
    """
    lines: list[str] = []
    for one in results:
        counts: dict[str, Counter[str]] = {}
        for check in one.checks:
            counts.setdefault(_name(check), Counter())[check.status.value] += 1
        words = [f"{name} " + ", ".join(_count(*item) for item in found.items()) for name, found in counts.items()]
        lines.append(f"{one.name}@{one.version}  {' · '.join(words)}")
        for check in one.checks:
            place = f"{check.pointer}: " if check.pointer else ""
            line = printable(f"  {_name(check)} {check.status.value}  {place}{check.detail}")
            new = check.status is not CheckStatus.PASS and not _spared(check) and line not in lines
            if new or (check.check == "roundtrip" and check.status is CheckStatus.PASS):
                lines.append(line)
    spared = (f"not run: {_name(check)}: {check.detail}" for one in results for check in one.checks if _spared(check))
    return [*lines, *map(printable, dict.fromkeys(spared))]


def _spared(check: ContractCheck) -> bool:
    return check.status is CheckStatus.NOT_RUN and not check.needed


def events_data(results: Sequence[EventResult]) -> dict[str, object]:
    """Return what `validate-contracts --events --json` prints."""
    return {
        "status": _worst(one.status for one in results).value,
        "events": [
            {
                "place": one.place, "type": one.type, "dataschema": one.schema, "status": one.status.value,
                "violations": [{"pointer": each.place, "reason": each.reason} for each in one.violations],
            }
            for one in results
        ],
    }  # fmt: skip


def events_lines(results: Sequence[EventResult]) -> list[str]:
    """Return a line for each violation, and at the end how many events passed and did not."""
    lines = [
        printable(f"{one.place}{each.place and '  '}{each.place}  {each.reason}")
        for one in results
        for each in one.violations
    ]
    counts = Counter(one.status.value for one in results)
    said = ", ".join(f"{number} {status}" for status, number in counts.items())
    return [*lines, f"events  {said}"]


def events_exit_code(results: Sequence[EventResult]) -> int:
    """Return 0 where every event is valid, 1 where one is not, 3 where one could not be read."""
    return _code(_worst(one.status for one in results))


def _worst(statuses: Iterable[CheckStatus]) -> CheckStatus:
    seen = set(statuses)
    worst = (CheckStatus.ERROR, CheckStatus.FAIL, CheckStatus.NOT_RUN)
    return next((one for one in worst if one in seen), CheckStatus.PASS)


def _code(status: CheckStatus) -> int:
    return {CheckStatus.PASS: 0, CheckStatus.FAIL: 1}.get(status, 3)


def _name(check: ContractCheck) -> str:
    return f"{check.check} {check.target}".rstrip()


def _count(status: str, number: int) -> str:
    return f"{number} {status}" if number > 1 else status
