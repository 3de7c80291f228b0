"""Built-in actions, from outside."""

import json
import os
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest


@pytest.fixture
def project(sandbox):
    sandbox.write("src/a", "1\n")
    sandbox.write("src/b", "1\n")
    sandbox.git("add", "-A")
    sandbox.git("commit", "-q", "-m", "files")
    return sandbox


def landing(project, more="", *, change="echo 2 > src/a"):
    project.phase("p", f"""\
workspace: worktree
steps:
  - {{id: change, run: [sh, -c, "{change}"]}}
  - id: land
    uses: git.merge
    with: {{{more or "into: main"}}}
    undo: {{uses: git.revert}}
  - {{id: late, run: [sh, -c, "exit ${{CODE:-0}}"], writes: []}}
rollback: {{on: [failure]}}
""")  # fmt: skip
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "phase")


def outputs(project, step="land"):
    steps = project.cmr("status", "last", "--json").data()["phases"][0]["steps"]
    return next(one["outputs"] for one in steps if one["id"] == step)


class TestMerging:
    def test_a_branch_is_moved_forward_with_its_files(self, project):
        landing(project)
        head = project.git("rev-parse", "HEAD")
        (project.root / "src/b").write_text("not committed\n")
        done = project.cmr("run-phase", "p")
        assert done.code == 0, done.out
        assert (project.root / "src/a").read_text() == "2\n"
        assert (project.root / "src/b").read_text() == "not committed\n"
        assert project.git("rev-parse", "HEAD^") == head
        assert project.git("status", "--porcelain") == "M src/b"
        assert outputs(project)["how"] == "moved forward"

    def test_a_branch_that_has_moved_on_gets_a_merge(self, project):
        landing(project, "into: release, message: Bring it home")
        project.git("branch", "release")
        project.git("switch", "-q", "release")
        project.write("other", "1")
        project.git("add", "-A")
        project.git("commit", "-q", "-m", "other")
        project.git("switch", "-q", "main")
        assert project.cmr("run-phase", "p").code == 0
        assert project.git("show", "release:src/a", "release:other") == "2\n1"
        assert project.git("log", "-1", "--format=%s", "release") == "Bring it home"
        assert project.git("rev-list", "--merges", "--count", "release") == "1"
        assert (project.root / "src/a").read_text() == "1\n"

    def test_a_conflict_is_named_and_changes_nothing(self, project):
        landing(project, "into: release")
        project.git("switch", "-q", "-c", "release")
        project.write("src/a", "3\n")
        project.git("commit", "-q", "-a", "-m", "other")
        tip = project.git("rev-parse", "HEAD")
        project.git("switch", "-q", "main")
        done = project.cmr("run-phase", "p")
        assert done.code == 1
        assert "conflicts with release: src/a" in done.out
        assert project.git("rev-parse", "release") == tip

    def test_what_is_not_committed_is_not_overwritten(self, project):
        landing(project)
        (project.root / "src/a").write_text("mine\n")
        head = project.git("rev-parse", "HEAD")
        done = project.cmr("run-phase", "p")
        assert done.code == 1
        assert "main is checked out in" in done.out
        assert (project.root / "src/a").read_text() == "mine\n"
        assert project.git("rev-parse", "HEAD") == head

    def test_as_a_new_branch(self, project):
        landing(project, "branch: fix/it")
        head = project.git("rev-parse", "HEAD")
        assert project.cmr("run-phase", "p").code == 0
        assert project.git("show", "fix/it:src/a") == "2"
        assert project.git("rev-parse", "HEAD") == head

    def test_a_flag_leaves_a_branch_where_the_phase_would_merge(self, project):
        landing(project)
        head = project.git("rev-parse", "HEAD")
        assert project.cmr("run-phase", "p", "--branch", "for-review").code == 0
        assert project.git("show", "for-review:src/a") == "2"
        assert project.git("rev-parse", "HEAD") == head

    @pytest.mark.parametrize("moved", (False, True))
    def test_a_new_branch_goes_when_it_is_taken_back(self, project, moved):
        more = "git commit-tree -p mine -m more mine^{tree} | xargs git update-ref refs/heads/mine; false"
        project.phase("p", f"""\
workspace: worktree
rollback: {{on: [failure]}}
steps:
  - {{id: x, run: [sh, -c, "echo 2 > src/a"]}}
  - {{id: land, uses: git.merge, with: {{branch: mine}}, undo: {{uses: git.revert}}}}
  - {{id: broken, run: [sh, -c, "{more if moved else "false"}"], writes: []}}
""")  # fmt: skip
        project.git("add", "-A")
        project.git("commit", "-q", "-m", "phase")
        done = project.cmr("run-phase", "p")
        assert done.code == 1
        assert ("mine has moved on since" in done.out) is moved, done.out
        assert ("mine" in project.git("branch", "--list", "mine")) is moved

    def test_nothing_to_merge(self, project):
        landing(project, change="true")
        assert project.cmr("run-phase", "p").code == 0
        assert outputs(project) == {"how": "nothing"}

    @pytest.mark.parametrize(("more", "said"), [
        ("into: nowhere", "there is no branch 'nowhere'"), ("message: x", "it does not say where to"),
        ("branch: a..b", "cannot be the name of a branch"),
    ])  # fmt: skip
    def test_what_cannot_be(self, project, more, said):
        landing(project, more)
        done = project.cmr("run-phase", "p")
        assert done.code == 1
        assert said in done.out

    def test_it_is_taken_back(self, project):
        landing(project)
        before = project.git("rev-parse", "HEAD")
        done = project.cmr("run-phase", "p", env={"CODE": "1"})
        assert done.code == 1
        assert (project.root / "src/a").read_text() == "1\n"
        assert project.git("rev-parse", "HEAD^{tree}") == project.git("rev-parse", f"{before}^{{tree}}")
        assert project.git("rev-list", "--count", f"{before}..HEAD") == "2"
        assert project.git("status", "--porcelain") == ""


class TestTemplates:
    def render(self, project, template, more="", **options):
        project.write("workflows/templates/page.md.j2", template)
        project.phase("p", f"""\
inputs: {{who: {{type: string, default: world}}}}
steps:
  - {{id: x, run: [echo], writes: [], outputs: {{n: "${{{{ 1 }}}}"}}}}
  - {{id: page, uses: template.render, with: {{template: workflows/templates/page.md.j2, to: docs/page.md{more}}}}}
""")  # fmt: skip
        return project.cmr("run-phase", "p", **options)

    def test_it_is_filled_in(self, project):
        line = "Hello {{ inputs.who }} {{ n }} {{ mine }} {{ steps.x.outputs.n }}"
        template = f"# {{{{ phase.name }}}}\n{{% for n in [1, 2] %}}\n{line}\n{{% endfor %}}\n"
        assert self.render(project, template, ", mine: '${{ inputs.who }}'").code == 0
        assert (project.root / "docs/page.md").read_text() == "# p\nHello world 1 world 1\nHello world 2 world 1\n"

    def test_data_is_not_run(self, project):
        done = self.render(project, "{{ inputs.who }}", env=None)
        assert done.code == 0
        done = project.cmr("run-phase", "p", "--input", "who={{ 7 * 7 }}{% for a in b %}")
        assert done.code == 0
        assert (project.root / "docs/page.md").read_text() == "{{ 7 * 7 }}{% for a in b %}"

    @pytest.mark.parametrize(("template", "said"), [
        ("a\n{{ nothing }}", "UndefinedError: 'nothing' is undefined"),
        ("a\n{% if %}", "page.md.j2:2: TemplateSyntaxError"),
        ("{{ ''.__class__.__mro__ }}", "SecurityError"), ("{{ 'a' * 10**10 }}", "memory"),
        ("{% for a in range(9**5) %}{{ 'a' * 10**7 }}{% endfor %}", "memory"),
    ])  # fmt: skip
    def test_what_cannot_be_filled_in(self, project, template, said):
        done = self.render(project, template)
        assert done.code == 1
        assert said in done.out
        assert not (project.root / "docs/page.md").exists()

    def test_where_it_may_be_written(self, project, tmp_path):
        (project.root / "docs").symlink_to(tmp_path)
        done = self.render(project, "text")
        assert done.code == 1
        assert "it cannot be written" in done.out
        assert not (tmp_path / "page.md").exists()

    @pytest.mark.parametrize("template", ["x {{ token | length }}", "{{ nothing }}"])
    def test_values_do_not_stay_in_the_state_folder(self, project, template, monkeypatch):
        monkeypatch.setenv("TOKEN_OF_MINE", "s3cr3tvalue99")
        project.write("workflows/templates/a.j2", template)
        project.phase("p", """\
secrets: [TOKEN_OF_MINE]
steps:
  - {id: t, uses: template.render,
     with: {template: workflows/templates/a.j2, to: o, token: "${{ secrets.TOKEN_OF_MINE }}"}}
""")  # fmt: skip
        project.cmr("run-phase", "p")
        files = [path for path in Path(os.environ["CMR_STATE_DIR"]).rglob("*") if path.is_file()]
        assert files
        assert not [path for path in files if b"s3cr3tvalue99" in path.read_bytes()]
        assert not {path.name for path in files} & {"request.json", "rendered"}

    @pytest.mark.parametrize("to", [".git/config", ".GIT/config", "src/.git/hooks/x", ".git"])
    def test_nothing_of_git_is_written(self, project, to):
        project.write("workflows/templates/a.j2", "[core]\n")
        project.phase("p", """\
inputs: {to: {type: string, default: out}}
steps: [{id: t, uses: template.render, with: {template: workflows/templates/a.j2, to: "${{ inputs.to }}"}}]
""")  # fmt: skip
        before = (project.root / ".git/config").read_text()
        done = project.cmr("run-phase", "p", "--input", f"to={to}")
        assert done.code == 1
        assert "it cannot be written" in done.out
        assert (project.root / ".git/config").read_text() == before

    def test_in_a_worktree_it_is_the_template_of_the_checkout(self, project):
        project.write("workflows/templates/a.j2", "committed\n")
        project.phase("p", """\
workspace: worktree
steps:
  - {id: t, uses: template.render, with: {template: workflows/templates/a.j2, to: out}}
  - {id: land, uses: git.merge, with: {branch: result}}
""")  # fmt: skip
        project.git("add", "-A")
        project.git("commit", "-q", "-m", "phase")
        project.write("workflows/templates/a.j2", "not committed\n")
        assert project.cmr("run-phase", "p").code == 0
        assert project.git("show", "result:out") == "committed"


class TestNotifying:
    @pytest.fixture
    def receiver(self):
        received = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(302 if self.path == "/elsewhere" else 500 if self.path == "/broken" else 200)
                self.send_header("Location", "/")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield received, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        server.server_close()

    def test_it_is_sent(self, project, receiver):
        received, address = receiver
        project.phase("p", """\
steps: [{id: x, run: [echo]}]
finally:
  - {id: say, uses: notify, with: {text: "it ended with ${{ run.status }}"}}
""")  # fmt: skip
        assert project.cmr("run-phase", "p", env={"CMR_ALERT_URL": address}).code == 0
        assert received[0]["text"] == "it ended with success"
        assert received[0]["step"] == "p/say"

    def test_without_an_address_it_is_said_that_nothing_was_sent(self, project):
        project.phase("p", "steps: [{id: say, uses: notify, with: {text: hello}}]\n")
        done = project.cmr("run-phase", "p")
        assert done.code == 0
        assert "not sent: there is no address" in project.cmr("status", "last").out

    @pytest.mark.parametrize(("path", "said"), [("/broken", "answered 500"), ("/elsewhere", "answered 302")])
    def test_what_goes_wrong(self, project, receiver, path, said):
        received, address = receiver
        project.phase("p", """\
secrets: [HOOK]
steps: [{id: say, uses: notify, with: {text: hello, to: "${{ secrets.HOOK }}"}}]
""")  # fmt: skip
        done = project.cmr("run-phase", "p", env={"HOOK": address + path})
        assert done.code == 1
        assert said in done.out
        assert address not in done.out + done.err
        assert len(received) == 1

    def test_commands_have_no_network_and_the_program_still_speaks(self, project, receiver):
        received, address = receiver
        project.phase("p", f"""\
permissions: {{network: none, write: ["**"]}}
steps: [{{id: say, uses: notify, with: {{text: hello, to: "{address}"}}}}]
""")  # fmt: skip
        done = project.cmr("run-phase", "p")
        assert done.code == 0, done.out
        assert len(received) == 1

    def test_a_slow_receiver_does_not_hold_it_up(self, project):
        def drip():
            connection, _ = server.accept()
            with connection, suppress(OSError):
                connection.recv(9999)
                connection.send(b"HTTP/1.1 200 OK\r\n")
                while not ended.wait(0.5):
                    connection.send(b"X-A: b\r\n")

        ended = threading.Event()
        with socket.create_server(("127.0.0.1", 0)) as server:
            threading.Thread(target=drip, daemon=True).start()
            address = f"http://127.0.0.1:{server.getsockname()[1]}/"
            project.phase("p", f"steps: [{{id: n, uses: notify, timeout: 1s, with: {{text: hi, to: '{address}'}}}}]\n")
            threading.Timer(15, ended.set).start()
            done = project.cmr("run-phase", "p")
            assert not ended.is_set()
            ended.set()
        assert done.code == 1
        assert "took longer than 1s" in done.out

    @pytest.mark.parametrize("address", ["ftp://127.0.0.1/x", "file:///etc/passwd", "http://127.0.0.1:1/"])
    def test_addresses_that_lead_nowhere(self, project, address):
        project.phase("p", f"steps: [{{id: say, uses: notify, with: {{text: hello, to: '{address}'}}}}]\n")
        assert project.cmr("run-phase", "p").code == 1
