"""Whether all texts that one pattern matches are matched by another."""

from functools import lru_cache

from cli_multi_rapid.contracts.patterns import Automaton, PatternRefused, automaton

_MAX_PAIRS = 20_000


@lru_cache(maxsize=256)
def within(narrow: str, wide: str) -> bool:
    """Tell whether it is certain that what one pattern matches is matched by the other one, too."""
    if narrow == wide:
        return True
    try:
        return _within(automaton(narrow), automaton(wide))
    except PatternRefused:
        return False


def matches(text: str, pattern: str) -> bool:
    """Tell whether it is certain that a pattern matches a text."""
    try:
        judge = automaton(pattern)
    except PatternRefused:
        return False
    state: int | None = 0
    for char in text:
        state = None if state is None else _next(judge, state, ord(char))
    return state is not None and state in judge.accepting


def _within(narrow: Automaton, wide: Automaton) -> bool:
    seen = {(0, 0)}
    todo = [(0, 0)]
    while todo:
        one, other = todo.pop()
        if (one in narrow.accepting and other not in wide.accepting) or len(seen) > _MAX_PAIRS:
            return False
        for low, high, after in narrow.edges[one]:
            here = low
            for start, end, there in wide.edges[other]:
                if end < here or start > high:
                    continue
                if start > here:
                    return False  # from every state a text can end well, and this one the other pattern refuses
                if (after, there) not in seen:
                    seen.add((after, there))
                    todo.append((after, there))
                here = end + 1
            if here <= high:
                return False
    return True


def _next(judge: Automaton, state: int, char: int) -> int | None:
    return next((after for low, high, after in judge.edges[state] if low <= char <= high), None)
