"""Where reports are written."""

import pytest

from cli_multi_rapid.errors import FolderUnwritable
from cli_multi_rapid.services.reporting import write_report


def test_the_own_folder_keeps_itself_out_of_git(tmp_path):
    path = tmp_path / ".cmr" / "reports" / "run.html"
    write_report(path, "text")
    assert path.read_text() == "text"
    assert (tmp_path / ".cmr" / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize("link", [".cmr", ".cmr/reports"])
def test_a_link_in_its_place_leads_nowhere(tmp_path, link):
    """A repository may contain it, and nothing else of the user is touched."""
    outside = tmp_path / "outside"
    outside.mkdir()
    root = tmp_path / "project"
    (root / link).parent.mkdir(parents=True)
    (root / link).symlink_to(outside)
    with pytest.raises(FolderUnwritable, match="is a link"):
        write_report(root / ".cmr" / "reports" / "run.html", "text")
    assert list(outside.iterdir()) == []


def test_the_user_may_write_where_he_likes(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "linked").symlink_to(tmp_path / "real")
    write_report(tmp_path / "linked" / "report.html", "text")
    assert (tmp_path / "real" / "report.html").read_text() == "text"
