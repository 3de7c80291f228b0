import pytest

from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.gates.parsing import read_xml

SKIP = frozenset({"methods"})


def test_what_is_left_out_leaves_nothing_behind() -> None:
    text = b"<a>1<methods x='2'>3<b>4<methods/></b>5</methods><b>6</b>7</a>"
    root = read_xml(text, path="r", skip=SKIP)
    assert (root.text, [(child.tag, child.text) for child in root.children]) == ("17", [("b", "6")])
    assert [child.tag for child in read_xml(text, path="r").children] == ["methods", "b"]
    assert read_xml(b"<methods/>", path="r", skip=SKIP).tag == "methods"


@pytest.mark.parametrize("text", ["<a><methods></a>", f"<a><methods>{'<b>' * 200}{'</b>' * 200}</methods></a>"])
def test_what_is_left_out_is_still_checked(text) -> None:
    with pytest.raises(EvidenceError):
        read_xml(text.encode(), path="r", skip=SKIP)
