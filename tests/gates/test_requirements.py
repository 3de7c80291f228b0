import pytest

from cli_multi_rapid.gates.evidence import EvidenceError, Report
from cli_multi_rapid.gates.requirements import read_requirements


def report(text: str | bytes, path: str = "requirements.txt") -> Report:
    data = text if isinstance(text, bytes) else text.encode()
    return Report(path=path, absolute=None, data=data, sha256="", mtime_ns=0, own=True)


def read(text: str | bytes):
    return read_requirements(report(text), lambda path: pytest.fail(f"{path} was read"))


def pins(listing) -> list[tuple[str, str, int]]:
    return [(one.name, one.version, one.line) for one in listing.packages]


def test_pins_in_every_dress() -> None:
    listing = read(
        "# comment\n"
        "Requests==2.19.0\n"
        "flask[async] == 2.0.1 ; python_version < '4'  # why\n"
        "a_b.c===1.0\n"
        "\n"
        "hashed==1.0 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\n"
        "    # via flask\n"
        "later==3 --config-settings x=y\n"
    )
    assert pins(listing) == [
        ("requests", "2.19.0", 2),
        ("flask", "2.0.1", 3),
        ("a-b-c", "1.0", 4),
        ("hashed", "1.0", 6),
        ("later", "3", 10),
    ]
    assert listing.loose == []


@pytest.mark.parametrize(
    "line",
    [
        "requests",
        "requests>=2",
        "requests==2.*",
        "requests~=2.0",
        "requests>1,<2",
        "requests==1.0,==2.0",
        "requests @ git+https://example.org/x@v1",
        "git+https://example.org/x@v1#egg=Requests",
        "-e git+https://example.org/x#egg=requests",
        "requests @ https://example.org/archive/main.zip",
    ],
)
def test_what_names_no_exact_version(line) -> None:
    listing = read(f"\n{line}\n")
    assert listing.packages == []
    assert [(one.name, one.line) for one in listing.loose] == [("requests", 2)]
    assert not listing.complete


def test_links_and_files_that_name_a_version() -> None:
    listing = read(
        "https://example.org/p/requests-2.19.0-py3-none-any.whl#sha256=0\n./wheels/a_b-1.0.tar.gz\n"
        "x @ file:///w/x-3.1-py3-none-any.whl\nwheels/odd.zip\nhttps://example.org/archive/main.tar.gz\n"
    )
    assert pins(listing) == [("requests", "2.19.0", 1), ("a-b", "1.0", 2), ("x", "3.1", 3)]
    assert [one.line for one in listing.loose] == [4, 5]


def test_folders_are_the_projects_own() -> None:
    listing = read("-e .\n./libs/x\n--editable=libs/y\n-e file:///libs/z\n")
    assert (listing.own, listing.packages, listing.loose) == (4, [], [])


def test_includes_and_constraints() -> None:
    listing = read_requirements(
        report("-r base.txt\n--requirement=sub/more.txt\n-cpins.txt\nflask>=2\nother\n"),
        lambda path: report(
            {
                "base.txt": "requests==2.19.0\n-r requirements.txt\n",
                "requirements.txt": "unused==9",
                "sub/more.txt": "x==1\n",
                "pins.txt": "flask==2.0.1\nnever==9\nother>=2\n-e .\n",
            }[path],
            path,
        ),
    )
    assert pins(listing) == [("requests", "2.19.0", 1), ("x", "1", 1), ("flask", "2.0.1", 4)]
    assert [one.name for one in listing.loose] == ["other"]
    assert {one.path for one in listing.packages} == {"base.txt", "sub/more.txt", "requirements.txt"}
    assert [one.path for one in listing.further] == ["base.txt", "requirements.txt", "sub/more.txt", "pins.txt"]


def test_files_that_include_each_other_end() -> None:
    listing = read_requirements(report("-r b.txt\na==1\n"), lambda path: report("-r requirements.txt\nb==1\n", path))
    assert [one.name for one in listing.packages] == ["b", "a"]


def test_files_without_end_are_refused() -> None:
    with pytest.raises(EvidenceError, match="include each other"):
        read_requirements(report("-r 0.txt"), lambda path: report(f"-r {int(path.split('.')[0]) + 1}.txt", path))


def test_options_of_indexes_are_passed_over() -> None:
    listing = read(
        "-i https://example.org/simple\n--extra-index-url=https://x\n--no-binary :all:\n--pre\n-f wheels\na==1\n"
    )
    assert pins(listing) == [("a", "1", 6)]


@pytest.mark.parametrize(
    ("text", "complete"),
    [("a==1 --hash=sha256:0\nb==2 --hash=sha256:1", True), ("a==1 --hash=sha256:0\nb==2", False), ("a==1", False)],
)
def test_only_hashes_make_it_complete(text, complete) -> None:
    assert read(text).complete is complete


@pytest.mark.parametrize("text", ["\ufeffa==1\r\n".encode(), "a==1\n".encode("utf-16")])
def test_encodings(text) -> None:
    assert pins(read(text)) == [("a", "1", 1)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a==1\n{}\n", r"requirements\.txt:2 is no requirement"),
        ("<html>", "is no requirement"),
        (b"PK\x03\x04\x00\x01\x00" * 9, "is not text"),
        ("a==1 b==2", "is no requirement"),
        ("-r https://example.org/x.txt", "which is not in the project"),
    ],
)
def test_what_is_no_requirements_file_is_refused(text, message) -> None:
    with pytest.raises(EvidenceError, match=message):
        read(text)
