"""Commands under supervision: how they are started, what becomes of their output, how they end."""

import asyncio
import os
import resource
import signal
import stat
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

import pytest

from cli_multi_rapid.model.process import Command, Exit
from cli_multi_rapid.system import output
from cli_multi_rapid.system.process import SupervisedRunner
from cli_multi_rapid.system.supervision import supervisor_modes

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
MEASURED = "import sys; sys.argv.pop(1); from cli_multi_rapid.system.supervisor import main; main()"


def tried(mode):
    """Under coverage the supervisor must be the module of the package, and see the site packages."""
    return replace(mode, python=("-c", MEASURED)) if "COVERAGE_PROCESS_CONFIG" in os.environ else mode


@pytest.fixture(params=supervisor_modes(), ids=lambda mode: mode.name)
def mode(request):
    return tried(request.param)


@pytest.fixture
def command(tmp_path):
    work = tmp_path / "work"
    work.mkdir()

    def make(*argv, **changes):
        wanted = {"cwd": str(work), "env": {"PATH": "/usr/bin:/bin"}, "log": str(tmp_path / "log"), "timeout_s": 20.0}
        return Command(argv=argv, tag=f"run-{token_hex(4)}/step/1", **{**wanted, **changes})

    return make


def run_all(mode, *commands, on_output=None):
    async def main():
        runner = SupervisedRunner(modes=[mode])
        try:
            return [await runner.run(command, on_output=on_output) for command in commands]
        finally:
            await runner.close()

    return asyncio.run(main())


def into(lines):
    """Return a sink that puts what comes into a list, line by line: several may come at once."""
    return lambda text: lines.extend(text.split("\n"))


def log_of(command):
    return Path(command.log).read_bytes()


def program(path, text, mode=0o755):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_exit_codes_and_signals(mode, command):
    ends = [("exit 0", 0, None), ("exit 3", 3, None), ("exit 255", 255, None)]
    ends += [("kill -9 $$", None, 9), ("kill -TERM $$", None, 15), ("kill -PIPE $$", None, 13)]
    results = run_all(mode, *(command("sh", "-c", text) for text, _, _ in ends))
    assert [(result.code, result.signal) for result in results] == [(code, number) for _, code, number in ends]
    assert not any(result.error or result.timed_out or result.leftover or result.truncated for result in results)


@linux
def test_signals_are_neither_ignored_nor_blocked(mode, command):
    old = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    handler = signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    asked = command("grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status")
    try:
        run_all(mode, asked)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, old)
        signal.signal(signal.SIGUSR2, handler)
    internal = 0b11 << 31  # 32 and 33 belong to the C library; nobody can change them through it
    assert [int(line.split()[1], 16) & ~internal for line in log_of(asked).splitlines()] == [0, 0]


def test_environment_is_exactly_the_given_one_and_the_tag(mode, command):
    asked = command("env", env={"PATH": "/usr/bin:/bin", "CMR_TAG": "another", "A": "1=2", "B": "", "C": "\udcff"})
    run_all(mode, asked)
    wanted = [b"A=1=2", b"B=", b"C=\xff", b"CMR_TAG=" + asked.tag.encode(), b"PATH=/usr/bin:/bin"]
    assert sorted(log_of(asked).splitlines()) == wanted


def test_arguments_arrive_as_they_are(mode, command):
    asked = command("printf", "%s|", "", "a b", "$HOME", "\udcfe", "é\n", "-n")
    run_all(mode, asked)
    assert log_of(asked) == b"|a b|$HOME|\xfe|\xc3\xa9\n|-n|"


def test_working_directory(mode, command):
    asked = command("pwd")
    gone = command("pwd", cwd=asked.cwd + "/gone")
    there, missing = run_all(mode, asked, gone)
    assert (there.code, log_of(asked).decode().strip()) == (0, asked.cwd)
    assert "cannot be entered: No such file or directory" in missing.error
    assert not missing.missing


def test_only_the_three_standard_descriptors_and_no_input(mode, command):
    asked = command("sh", "-c", "for n in 3 4 5 6 7 8 9; do (: >&$n) 2>/dev/null && echo open $n; done; cat; echo end")
    run_all(mode, asked)
    assert log_of(asked) == b"end\n"


def test_programs_are_found_on_the_path_of_the_command(mode, command):
    asked = command("tool", env={"PATH": "bin:/usr/bin:/bin"})
    program(Path(asked.cwd, "bin", "tool"), "#!/bin/sh\necho found\n")
    assert run_all(mode, asked)[0].code == 0
    assert log_of(asked) == b"found\n"


@pytest.mark.parametrize("path", ["", ".", ":/usr/bin", "./:/usr/bin", "bin/..:/usr/bin"])
def test_programs_of_the_working_directory_need_a_slash(mode, command, path):
    asked = command("tool", env={"PATH": path})
    program(Path(asked.cwd, "tool"), "#!/bin/sh\nexit 5\n")
    Path(asked.cwd, "bin").mkdir()
    by_name, by_path = run_all(mode, asked, replace(asked, argv=("./tool",)))
    assert by_name == Exit(
        error="tool: not found on the PATH of the command", missing=True, duration_ms=by_name.duration_ms
    )
    assert by_path.code == 5


def test_what_cannot_be_executed_says_why(mode, command):
    asked = command("tool", env={"PATH": "plain:/usr/bin"})
    folder = Path(asked.cwd)
    program(folder / "plain" / "tool", "#!/bin/sh\n", mode=0o644)
    program(folder / "orphan", "#!/no/such/interpreter\n")
    program(folder / "bare", "echo no interpreter\n")
    (folder / "folder").mkdir()
    paths = ["./gone", "./folder", "./orphan", "./bare"]
    results = run_all(mode, asked, *(replace(asked, argv=(path,)) for path in paths))
    assert [(result.error, result.missing) for result in results] == [
        ("tool: found, but it is not a file that may be executed", False),
        ("./gone: no such file", True),
        ("./folder: found, but it is not a file that may be executed", False),
        ("./orphan: its interpreter, named in its first line, does not exist", False),
        ("./bare: cannot be started: Exec format error", False),
    ]
    assert all(result.code is None and result.signal is None for result in results)


def test_a_program_that_may_be_executed_is_preferred(mode, command):
    asked = command("tool", env={"PATH": "plain:good"})
    program(Path(asked.cwd, "plain", "tool"), "", mode=0o644)
    program(Path(asked.cwd, "good", "tool"), "#!/bin/sh\nexit 6\n")
    assert run_all(mode, asked)[0].code == 6


def test_impossible_commands_are_errors(mode, command):
    wrong = [command(), command(""), command("a\0b"), command("true", env={"A=B": "1"}), command("true", env={"": "1"})]
    results = run_all(mode, *wrong, command("true"))
    assert [bool(result.error) for result in results] == [True] * 5 + [False]
    assert "NUL" in results[2].error
    assert "'A=B'" in results[3].error


def test_output_is_stored_as_it_is(mode, command):
    data = b"\x00\xff\xfe\x1b[31mred\x1b[0m\r\n\xc3\x28 end"
    asked = command("cat", "data")
    Path(asked.cwd, "data").write_bytes(data)
    lines = []
    result = run_all(mode, asked, on_output=into(lines))[0]
    assert log_of(asked) == data
    assert (result.output_bytes, result.truncated) == (len(data), False)
    assert lines == ["\x00\ufffd\ufffd\x1b[31mred\x1b[0m\r", "\ufffd( end"]
    assert stat.S_IMODE(Path(asked.log).stat().st_mode) == 0o600


def test_long_lines_come_in_pieces_cut_between_characters(mode, command):
    asked = command("cat", "data")
    text = "x" + "é" * 100_000
    Path(asked.cwd, "data").write_text(text + "\nend\n", encoding="utf-8")
    pieces, lines = [], []
    run_all(mode, asked, on_output=pieces.append)
    assert "".join(pieces) == text + "\nend"
    run_all(mode, asked, on_output=into(lines))
    assert "".join(lines) == text + "end"
    assert len(lines) == 5
    assert max(len(line.encode()) for line in lines) <= 1 << 16


def test_logs_are_appended_to_and_capped(mode, command):
    asked = command("sh", "-c", "echo 12345", cap_bytes=6)
    results = run_all(mode, asked, replace(asked, cap_bytes=5), replace(asked, cap_bytes=2))
    assert [result.truncated for result in results] == [False, True, True]
    assert [result.output_bytes for result in results] == [6, 6, 6]
    assert log_of(asked) == (b"12345\n12345\n[output truncated at 5 bytes]\n12\n[output truncated at 2 bytes]\n")


def test_the_cap_may_fall_between_lines(mode, command):
    asked = command("sh", "-c", "echo 1; echo 2", cap_bytes=2)
    run_all(mode, asked)
    assert log_of(asked) == b"1\n[output truncated at 2 bytes]\n"


def test_standard_output_can_go_to_a_file_of_its_own(mode, command, tmp_path):
    target = tmp_path / "stdout"
    target.write_text("from an earlier attempt")
    lines = []
    asked = command("sh", "-c", "echo out; echo err >&2", stdout=str(target))
    result = run_all(mode, asked, on_output=into(lines))[0]
    assert (target.read_bytes(), log_of(asked), lines) == (b"out\n", b"err\n", ["err"])
    assert result.output_bytes == 8


def test_logs_are_never_written_through_links_or_into_anything_but_files(mode, command, tmp_path):
    kept = tmp_path / "kept"
    kept.write_text("kept")
    (tmp_path / "link").symlink_to(kept)
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    paths = [tmp_path / "link", tmp_path / "fifo", tmp_path / "folder", tmp_path / "gone" / "log", "/dev/null"]
    results = run_all(mode, *(command("sh", "-c", "echo started > started", log=str(path)) for path in paths))
    assert all(result.error.startswith("the output cannot be stored in /") for result in results)
    assert kept.read_text() == "kept"
    assert not (tmp_path / "work" / "started").exists()


@contextmanager
def file_size_limit(size_bytes):
    """A disk that takes no more: writing beyond the limit fails as on a full one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_does_not_disturb_the_child(mode, command):
    asked = command("sh", "-c", "head -c 20000 /dev/zero; echo; echo still here", cap_bytes=1 << 20)
    lines = []
    with file_size_limit(5000):
        result = run_all(mode, asked, on_output=into(lines))[0]
    assert (result.code, result.truncated, result.output_bytes) == (0, True, 20012)
    assert len(log_of(asked)) == 5000
    assert lines[1] == "still here"


def test_a_log_that_a_full_disk_cannot_take_up_is_only_noted(mode, command, monkeypatch):
    def full(path, **_):
        raise OSError(28, "No space left on device", path)

    monkeypatch.setattr(output, "_open", full)
    result = run_all(mode, command("echo", "text"))[0]
    assert (result.code, result.truncated, result.output_bytes) == (0, True, 5)


def test_secrets_are_masked_wherever_output_goes(mode, command, tmp_path):
    secret = token_hex(12)
    script = "printf 'a %.9s' $S; sleep 0.05; printf '%s b\\n' ${S#?????????}; printf $S | base64 >&2; printf $S"
    lines = []
    asked = command("sh", "-c", script, env={"PATH": "/usr/bin:/bin", "S": secret}, secrets=(secret,))
    run_all(
        mode, replace(asked, stdout=str(tmp_path / "out")), replace(asked, log=asked.log + "2"), on_output=into(lines)
    )
    assert (tmp_path / "out").read_bytes() == b"a *** b\n***"
    assert log_of(asked) == b"***\n"
    assert lines == ["***", "a *** b", "***", "***"]


def test_a_flood_of_short_lines_comes_in_few_calls_and_whole(mode, command):
    """Line by line this takes a second for 7 MB of empty lines; the number of calls is what the time goes into."""
    calls = []
    for text, count in (("", 2_000_000), ("some text", 300_000)):
        calls.clear()
        asked = command("sh", "-c", f"yes '{text}' | head -n {count}; printf end")
        run_all(mode, asked, on_output=calls.append)
        assert len(calls) < count / 100
        lines = [line for call in calls for line in call.split("\n")]
        assert (lines[-1], len(lines)) == ("end", count + 1)
        assert set(lines[:-1]) == {text}


def test_a_flood_takes_no_memory(mode, command):
    asked = command("sh", "-c", "head -c 200000000 /dev/zero", timeout_s=100.0)
    code = f"""
import asyncio, dataclasses, resource, sys
from cli_multi_rapid.model.process import Command
from cli_multi_rapid.system.process import SupervisedRunner
from cli_multi_rapid.system.supervision import Mode
async def main():
    runner = SupervisedRunner(modes=[{mode!r}])
    command = {asked!r}
    await runner.run(dataclasses.replace(command, argv=("true",)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = await runner.run(command, on_output=lambda line: None)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await runner.close()
    print(result.code, result.output_bytes, result.truncated, after - before)
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    code, size, truncated, grown_kib = done.stdout.split()
    assert (code, size, truncated) == ("0", "200000000", "True")
    assert int(grown_kib) < 16 << 10
    assert len(log_of(asked)) < (8 << 20) + 100


@linux
def test_500_steps_leave_neither_zombies_nor_descriptors(mode, command):
    async def main():
        runner = SupervisedRunner(modes=[mode])
        await runner.run(command("true"))
        before = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(500):
            assert (await runner.run(command("true"))).code == 0
        assert len(list(Path("/proc/self/fd").iterdir())) == before
        counted = command("sh", "-c", "ls /proc/$PPID/fd | wc -l; cat /proc/$PPID/task/*/children | wc -w")
        if mode.name != "namespace-outer-proc":
            await runner.run(counted)
            descriptors, children = map(int, log_of(counted).split())
            assert (children, descriptors < 12) == (1, True)
        await runner.close()

    asyncio.run(main())


def test_too_many_open_files_fail_the_step_and_leak_nothing(mode, command, tmp_path):
    asked = command("echo", "text", stdout=str(tmp_path / "out"))

    async def main():
        runner = SupervisedRunner(modes=[mode])
        await runner.run(asked)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        used = os.open("/dev/null", os.O_RDONLY)  # the lowest number that is free
        os.close(used)
        results = []
        for limit in range(used, used + 12):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            try:
                results.append(await runner.run(asked))
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            again = os.open("/dev/null", os.O_RDONLY)
            os.close(again)
            assert again == used
        await runner.close()
        return results

    results = asyncio.run(main())
    assert "Too many open files" in results[0].error
    assert results[-1].code == 0
    assert all(bool(result.error) != (result.code == 0) for result in results)


def test_a_runner_moves_to_another_event_loop(mode, command):
    runner = SupervisedRunner(modes=[mode])
    assert runner.isolation is None
    assert asyncio.run(runner.run(command("true"))).code == 0
    assert asyncio.run(runner.run(command("false"))).code == 1
    assert runner.isolation == mode.isolation
    asyncio.run(runner.close())


def test_commands_run_side_by_side(mode, command):
    async def main():
        runner = SupervisedRunner(modes=[mode])
        big = {"PATH": "/usr/bin:/bin", "BIG": "x" * 100_000}  # more at once than the socket holds
        commands = [command("sh", "-c", f"exit {n}", env=big) for n in range(20)]
        results = await asyncio.gather(*map(runner.run, commands))
        await runner.close()
        return [result.code for result in results]

    assert asyncio.run(main()) == list(range(20))


@linux
def test_steps_side_by_side_that_leave_nothing_end_at_once(mode, command):
    async def main():
        runner = SupervisedRunner(modes=[mode])
        asked = command("sh", "-c", "sleep 0.1 & sleep 0.2; wait")
        results = await asyncio.gather(*(runner.run(asked) for _ in range(4)))
        await runner.close()
        return [(result.code, result.leftover) for result in results]

    assert asyncio.run(main()) == [(0, 0)] * 4
