"""The sample project, from the mistake to the report."""


def test_the_demo(sandbox, tmp_path):
    folder = tmp_path / "demo"
    done = sandbox.cmr("demo", "--folder", str(folder), trust=False)
    assert done.code == 0, done.out + done.err
    assert "coverage failed: 65.0 % of 20 lines, needs 85 %" in done.out
    assert 'if mode == "TIGHT"' in (folder / "src/trading/stops.py").read_text()
    (report,) = (folder / ".cmr/reports").glob("*.html")
    assert str(report) in done.out
    assert sandbox.cmr("demo", "--folder", str(folder)).code == 2
