"""MQL4 sources for a C++ compiler: the three things that are written otherwise. Texts and comments stay as they are.

A line of #property is left out; an array without size, `T name[];`, and a parameter, `T &name[]`, become the dynamic
array of the shim.
"""

from cli_multi_rapid.contracts.targets.mql4.tokens import Token, tokens


def adapted(source: str) -> str:
    """Return an MQL4 source that has passed `check_sources` for the C++ compiler, line by line the same."""
    given = list(tokens(source))
    meaning = [index for index, one in enumerate(given) if one.kind not in ("space", "comment")]
    texts = [one.text for one in given]
    for number in range(len(meaning)):
        places = meaning[number : number + 5]
        if [given[one].text for one in places[:3]] == ["#", "property", "strict"]:
            for one in places[:3]:
                texts[one] = ""
        elif (kind := _array(given, places)) is not None:
            texts[places[0]] = f"cmr_array<{kind}>"
            for one in places[2:]:
                texts[one] = "" if given[one].text in ("[", "]") else texts[one]
    return "".join(texts)


def _array(given: list[Token], places: list[int]) -> str | None:
    """Return the type of the items where an array without size is declared at these places."""
    words = [given[one] for one in places]
    if len(words) < 5 or words[0].kind != "word":
        return None
    reference = words[1].text == "&"
    name, *brackets = words[2:] if reference else words[1:4]
    if name.kind != "word" or [one.text for one in brackets[:2]] != ["[", "]"]:
        return None
    if not reference and words[4].text != ";":
        return None
    return words[0].text
