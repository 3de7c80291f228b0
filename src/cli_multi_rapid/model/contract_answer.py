"""What `validate-contracts --json` has printed, read again."""

from collections.abc import Mapping

from cli_multi_rapid.model.contract import CheckStatus, ContractCheck, ContractResult


def answered(value: object) -> tuple[ContractResult, ...]:
    """Return the results in what `validate-contracts --json` has printed.

    Raises:
        ValueError: it is not what that prints, or there is a contract without any check.
    """
    found = value.get("contracts") if isinstance(value, Mapping) else None
    if found is None or not isinstance(found, list):
        raise ValueError("there is no list of contracts")
    return tuple(_result(one) for one in found)


def _result(value: object) -> ContractResult:
    checks = value.get("checks") if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or not isinstance(checks, list) or not checks:
        raise ValueError("there is a contract without checks")
    return ContractResult(
        name=str(value.get("name")), version=str(value.get("version")), checks=tuple(_check(one) for one in checks)
    )


def _check(value: object) -> ContractCheck:
    if not isinstance(value, Mapping):
        raise ValueError("there is a check that is no object")  # noqa: TRY004  it is about the text, not about a type
    check, detail, pointer, target = (str(value.get(key) or "") for key in ("check", "detail", "pointer", "target"))
    status = CheckStatus(str(value.get("status")))
    needed = value.get("needed") is not False
    return ContractCheck(check=check, status=status, detail=detail, pointer=pointer, target=target, needed=needed)
