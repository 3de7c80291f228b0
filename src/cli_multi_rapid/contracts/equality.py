"""When two documents of a contract are equal: keys in any order, 1.0 equals 1, texts are texts."""

import json

from cli_multi_rapid.contracts import ir

_SHOWN = 60
_BEFORE = 6


def difference(one: ir.Type, sent: object, received: object, *, place: str = "") -> str:
    """Return where two values of a type differ and how, in words; nothing where they are equal.

    Whole numbers are compared exactly, others as doubles; true is not 1, and a missing key is not null.
    """
    match one, sent, received:
        case ir.UnionType(), dict(), dict():
            case = next((case for tag, case in one.cases if tag == sent.get(one.tag)), None)
            return difference(case, sent, received, place=place) if case else _told(sent, received, place)
        case ir.ObjectType(), dict(), dict():
            return _objects(one, sent, received, place)
        case ir.ArrayType(), list(), list():
            return _arrays(one, sent, received, place)
        case ir.StringType(), str(), str():
            return "" if sent == received else _told(sent, received, place)
    return "" if _same(one, sent, received) else _told(sent, received, place)


def _objects(one: ir.ObjectType, sent: dict[str, object], received: dict[str, object], place: str) -> str:
    types = {member.key: member.type for member in one.members}
    for key, value in sent.items():
        if key not in received:
            return f"{place}/{key} was lost"
        if found := difference(types[key], value, received[key], place=f"{place}/{key}"):
            return found
    return next((f"{place}/{key} was added" for key in received if key not in sent), "")


def _arrays(one: ir.ArrayType, sent: list[object], received: list[object], place: str) -> str:
    if len(sent) != len(received):
        return f"{place or '/'}: {len(sent)} items became {len(received)}"
    pairs = enumerate(zip(sent, received, strict=True))
    return next((told for index, (a, b) in pairs if (told := difference(one.item, a, b, place=f"{place}/{index}"))), "")


def _same(one: ir.Type, sent: object, received: object) -> bool:
    if not isinstance(sent, int | float) or not isinstance(received, int | float):
        return type(sent) is type(received) and sent == received
    if isinstance(sent, bool) or isinstance(received, bool):
        return sent is received
    return float(sent) == float(received) if isinstance(one, ir.NumberType) else sent == received


def _told(sent: object, received: object, place: str) -> str:
    start = 0
    if isinstance(sent, str) and isinstance(received, str):
        pairs = enumerate(zip(sent, received, strict=False))
        same = next((index for index, (one, other) in pairs if one != other), min(len(sent), len(received)))
        start = max(0, same - _BEFORE) if max(len(sent), len(received)) > _SHOWN // 2 else 0
        sent, received = sent[start:], received[start:]
    return (
        f"{place or '/'}: {_shown(sent)} became {_shown(received)}{f', from character {start + 1} on' if start else ''}"
    )


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
