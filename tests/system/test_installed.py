import json
import os
import sys
from pathlib import Path

import pytest

from cli_multi_rapid.system.installed import distributions, find_site


def venv(root: Path, *, settings: str = "", folder: str = "lib/python3.11/site-packages") -> Path:
    site = root / folder
    site.mkdir(parents=True)
    (root / "pyvenv.cfg").write_text(f"home = /usr/bin\n{settings}")
    return site


def meta(site: Path, name: str, text: str, file: str = "METADATA") -> Path:
    folder = site / name
    folder.mkdir()
    (folder / file).write_text(text)
    return folder


def only(root: Path):
    (one,) = distributions(find_site({"VIRTUAL_ENV": str(root)}))
    return one


def test_headers_are_read_up_to_the_prose(tmp_path) -> None:
    text = (
        "Metadata-Version: 2.1\nName: Foo.Bar\nVersion: 1.0\nLicense: MIT\n        of two lines\n"
        "Classifier: Topic :: X\nClassifier: License :: OSI Approved :: MIT License\n"
        "License-Expression: MIT OR X\n\nLicense: prose\n"
    )
    meta(venv(tmp_path), "Foo.Bar-1.0.dist-info", text)
    one = only(tmp_path)
    assert (one.name, one.version, one.expression, one.licence) == ("Foo.Bar", "1.0", "MIT OR X", "MIT\nof two lines")
    assert one.classifiers == ("License :: OSI Approved :: MIT License",)
    assert (one.source, one.editable, one.problem) == ("", False, "")


def test_old_kinds_of_metadata(tmp_path) -> None:
    site = venv(tmp_path)
    meta(site, "a-1.0-py3.11.egg-info", "Name: a\nVersion: 1.0\n", "PKG-INFO")
    (site / "b-2.0.egg-info").write_text("Name: b\nVersion: 2.0\n")
    (site / "~c-3.0.dist-info").mkdir()
    found = distributions(find_site({"VIRTUAL_ENV": str(tmp_path)}))
    assert [(one.name, one.version) for one in found] == [("a", "1.0"), ("b", "2.0")]


@pytest.mark.parametrize("name", ["x-1.5.dist-info", "x-1.5-py3.11.egg-info"])
def test_without_metadata_the_name_of_the_folder_counts(tmp_path, name) -> None:
    (venv(tmp_path) / name).mkdir()
    one = only(tmp_path)
    assert (one.name, one.version.startswith("1.5"), one.problem) == ("x", True, "its metadata is missing")


@pytest.mark.parametrize(
    ("url", "source", "editable"),
    [
        ({"url": "file:///some/pla%20ce", "dir_info": {"editable": True}}, "/some/pla ce", True),
        ({"url": "file:///some/place", "dir_info": {}}, "/some/place", False),
        ({"url": "file:///x.whl", "archive_info": {}}, "", False),
        ({"url": "https://example.org/x", "vcs_info": {}}, "", False),
        ({"url": 5, "dir_info": {}}, "", False),
        ([], "", False),
        ("garbage", "", False),
    ],
)
def test_where_it_was_installed_from(tmp_path, url, source, editable) -> None:
    folder = meta(venv(tmp_path), "x-1.dist-info", "Name: x\nVersion: 1\n")
    (folder / "direct_url.json").write_text(json.dumps(url))
    one = only(tmp_path)
    assert (one.source, one.editable) == (source, editable)


def test_a_pipe_in_place_of_metadata_does_not_block(tmp_path) -> None:
    folder = venv(tmp_path) / "x-1.dist-info"
    folder.mkdir()
    os.mkfifo(folder / "METADATA")
    assert only(tmp_path).problem


def test_environments_that_see_the_system_say_so(tmp_path) -> None:
    venv(tmp_path / "a")
    venv(tmp_path / "b", settings="include-system-site-packages = true\n", folder="Lib/site-packages")
    assert not find_site({"VIRTUAL_ENV": str(tmp_path / "a")}).shared
    assert find_site({"VIRTUAL_ENV": str(tmp_path / "b")}).shared
    assert find_site({"VIRTUAL_ENV": str(tmp_path / "gone")}) is None


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_a_python_on_the_path_leads_to_its_packages(tmp_path) -> None:
    virtual, system, home = tmp_path / "v", tmp_path / "usr", tmp_path / "home"
    site = venv(virtual)
    program(virtual / "bin" / "python")
    assert find_site({"PATH": f"{virtual / 'bin'}:/usr/bin"}).folders == (site,)
    program(system / "bin" / "python3.12")
    (system / "bin" / "python3").symlink_to("python3.12")
    places = [system / "lib/python3.12/site-packages", system / "local/lib/python3.12/dist-packages",
              home / ".local/lib/python3.12/site-packages", system / "lib/python3/dist-packages"]  # fmt: skip
    for place in (*places, system / "lib/python3.9/site-packages"):
        place.mkdir(parents=True)
    (system / "lib64").symlink_to("lib")
    found = find_site({"PATH": str(system / "bin"), "HOME": str(home)})
    assert (found.prefix, set(found.folders)) == (str(system), set(places))
    assert find_site({"PATH": str(tmp_path)}) is None
    assert find_site({}) is None


def test_the_environment_that_this_program_brings_along_is_not_the_projects() -> None:
    if sys.prefix == sys.base_prefix:
        pytest.skip("not in a virtual environment")
    own = str(Path(sys.prefix, "bin"))
    assert find_site({"PATH": f"/nowhere:{own}"}) is None
    assert find_site({"PATH": f"{own}:/nowhere"}).prefix == sys.prefix


def test_this_environment_is_read_whole() -> None:
    from importlib.metadata import distributions as other

    site = find_site({"VIRTUAL_ENV": sys.prefix})
    found = {(one.name, one.version) for one in distributions(site)}
    assert found >= {(one.metadata["Name"], one.version) for one in other(path=[str(path) for path in site.folders])}
