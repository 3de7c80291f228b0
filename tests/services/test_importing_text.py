"""Values in the text of a command: what GitHub pastes in becomes a variable, means the same, and is never run."""

import os
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from cli_multi_rapid.model.phase import Shell
from cli_multi_rapid.services.importing.data_in_text import Datum, with_variables
from cli_multi_rapid.services.importing.source import Refused

X = "${{ x }}"


def imported(text, values=None, shell=Shell.BASH):
    return with_variables(text, shell, lambda _: Datum(name="X", values=values))


def bash(text, folder, **env):
    done = subprocess.run(
        ("bash", "--noprofile", "--norc", "-c", text),
        cwd=folder, env={"PATH": os.environ["PATH"], **env}, capture_output=True, text=True, timeout=20,
        stdin=subprocess.DEVNULL, errors="replace",
    )  # fmt: skip
    return done.returncode, done.stdout


# Places where a plain word means the same pasted in and as a variable. `T` writes its arguments, one a line.
TELL = "T() { printf '<%s>' \"$@\"; echo; }\n"
PLACES = {
    "an argument": f"T a {X} b",
    "the end of an argument": f"T --version={X}",
    "the middle of an argument": f"T a/{X}.txt",
    "two in one argument": f"T {X}-{X}",
    "in double quotes": f'T "a {X} b"',
    "in double quotes before a letter": f'T "a{X}b_{X}c"',
    "in single quotes": f"T 'a {X} b'",
    "alone in single quotes": f"T '{X}'",
    "in a substitution": f"T $(echo {X})",
    "in a substitution in quotes": f'T "a $(echo "{X}" | tr a-z A-Z) b"',
    "in quotes in a substitution in quotes": f"T \"$(echo '{X}')\"",
    "in backticks": f"T `echo {X}`",
    "in an assignment": f"A={X}\nT $A",
    "in an assignment before a command": f'A={X} B="{X}" bash -c \'echo "$A$B"\'',
    "an export": f"export A='{X}'; T $A",
    "in a here-document": f"cat <<EOF\na {X}b\n$(echo {X})\nEOF\nT {X}",
    "in an indented here-document": f"cat <<-EOF\n\ta {X}\n\tEOF\nT {X}",
    "two here-documents": f"cat <<A; cat <<B\na {X}\nA\nb {X}\nB\nT c",
    "a here-string": f"cat <<< {X}",
    "in a comment": f"# a '{X}\nT b # it's {X}\nT c",
    "after an odd escape": f"T \\' {X} \\\" '\\' {X}",
    "after dollar quotes": f"T $'it\\'s' {X}",
    "in a condition": f'if [ "{X}" = a ]; then T yes {X}; else T no {X}; fi',
    "in double brackets": f"if [[ {X} == a* ]]; then T yes; fi",
    "in a case": f"case {X} in a) T one;; *) T two {X};; esac",
    "in a loop": f"for i in {X} b; do T $i; done",
    "in a default": f"T ${{NONE:-{X}}}",
    "after a continuation": f"T a \\\n  {X}",
    "in a group": f"(T {X}; {{ T {X}; }})",
    "as the command": f"{X} b",
    "in a condition as the command": f"if {X} b; then T yes; fi",
    "in a command given to a shell": f"bash -c 'echo {X}'",
    "in code of python": f"python3 -c \"print('{X}')\"",
    "as a number": f"T $((1 + {X}))",
}


@pytest.mark.parametrize("value", ["a", "3", "echo", "a-b.c_1", "x86_64"])
@pytest.mark.parametrize("name", PLACES)
def test_a_plain_word_means_the_same(name, value, tmp_path):
    text = TELL + PLACES[name]
    before = bash(text.replace(X, value), tmp_path)
    after = bash(imported(text, values=(value,)), tmp_path, X=value)
    assert after == before
    assert "${{" not in imported(text, values=(value,))


CODE = {
    "as the command", "in a condition as the command", "in a command given to a shell", "in code of python",
    "as a number", "in a default",
}  # fmt: skip
EVIL = [
    "$(touch run)", "`touch run`", "; touch run;", "' ; touch run; '", '" ; touch run; "', "a\ntouch run\n",
    "| touch run", "&& touch run", "\\", "'", '"', "a[$(touch run)]", "${x}", "$((a[$(touch run)]))", "-n", "--", "~",
    "*", "<(touch run)", "EOF\ntouch run", "#", "", " ", "a b",
]  # fmt: skip


@pytest.mark.parametrize("name", PLACES)
def test_data_is_never_run(name, tmp_path):
    """Where a value that comes from outside could be run, the text is refused; elsewhere it is not run."""
    text = TELL + PLACES[name]
    if name in CODE:
        with pytest.raises(Refused, match="run as code, or read by the shell"):
            imported(text)
        return
    made = imported(text)
    for value in EVIL:
        bash(made, tmp_path, X=value)
        assert not (tmp_path / "run").exists(), (made, value)


@pytest.mark.parametrize("name", ["an argument", "in double quotes", "in single quotes", "in a here-document"])
@settings(max_examples=25, deadline=None)
@given(value=some.text(some.characters(codec="utf-8", exclude_characters="\0\n\r"), max_size=30))
def test_any_data_arrives_as_it_is(name, value):
    code, out = bash(TELL + imported(PLACES[name]), "/", X=value)
    assert value in out
    assert code == 0


REFUSED = {
    "eval": f'eval "echo {X}"',
    "exec": f"exec {X}",
    "sudo": f"sudo -n {X}",
    "a file that is sourced": f"source {X}",
    "a file that is run": f"./{X}",
    "a script of an interpreter": f"python3 {X}",
    "code of node": f"node -e 'console.log(\"{X}\")'",
    "code of perl": f"/usr/bin/perl -pe 's/a/{X}/' file",
    "a program of sed": f"sed -i 's/a/{X}/' file",
    "a program of awk": f"awk '{{print {X}}}'",
    "a remote command": f"ssh host {X}",
    "a here-document for a shell": f"bash <<EOF\n{X}\nEOF",
    "a here-document for python": f"echo a; python3 - <<EOF\nprint('{X}')\nEOF",
    "a quoted here-document": f"cat <<'EOF'\n{X}\nEOF",
    "dollar quotes": f"echo $'{X}'",
    "numbers in brackets": f"[[ {X} -gt 3 ]]",
    "a pattern": f"[[ a =~ {X} ]]",
    "arithmetic": f"(( i = {X} ))",
    "an index": f"echo ${{a[{X}]}}",
    "after a keyword": f"while {X}; do :; done",
    "after a pipe": f"echo a | {X}",
    "after an assignment": f"A=b {X}",
    "in a substitution": f"echo $({X})",
    "after an option and what may be nothing": f"bash -c $a {X}",
    "after a command that may be nothing": f"$a ${{b}} {X}",
    "after a substitution that may give nothing": f"eval `a` $(b) {X}",
    "after a prefix and what may be nothing": f"sudo $a {X}",
}


@pytest.mark.parametrize("name", REFUSED)
def test_data_where_code_is_expected_is_refused(name):
    with pytest.raises(Refused):
        imported(REFUSED[name])


@pytest.mark.parametrize("text", [f"echo '{X}", f'echo "{X}', f"echo $( {X}", f"cat <<EOF\n{X}", f"echo `{X}"])
def test_text_whose_quotes_do_not_end_is_refused(text):
    with pytest.raises(Refused, match="could not be followed to their end"):
        imported(text)


KNOWN = {
    ("T {X}", "-v -x"): "T $X",
    ("T {X} a", ""): "T $X a",
    ("T {X}", "tests/*.py"): "T $X",
    ("{X} a", "pip install"): "$X a",
    ('T "{X}"', "-v -x"): 'T "$X"',
    ("T '{X}'", 'a "b"'): "T ''\"$X\"''",
    ("T {X}", "3.12"): 'T "$X"',
}


@pytest.mark.parametrize(("text", "value"), KNOWN)
def test_values_that_the_workflow_itself_has_may_be_several_words(text, value):
    assert imported(text.replace("{X}", X), values=(value, "a")) == KNOWN[text, value]


@pytest.mark.parametrize(
    ("text", "value"),
    [(f"T {X}", '-k "a b"'), (f"T {X}", "$(date)"), (f'T "{X}"', "$HOME"), (f"T '{X}'", "it's"), (f"A={X}", "a b"),
     (f'"{X}" b', "a b"), (f"cat <<EOF\n{X}\nEOF", "`date`")],
)  # fmt: skip
def test_values_that_are_shell_code_are_refused(text, value):
    with pytest.raises(Refused):
        imported(text, values=(value, "a"))
    assert imported(text, values=(value,)) == text.replace(X, value)  # always the same: it is text


POWERSHELL = {
    f"Write-Output {X}": "Write-Output $env:X",
    f'Write-Output "a {X} b"': 'Write-Output "a ${env:X} b"',
    f"Write-Output a-{X}.txt": "Write-Output a-${env:X}.txt",
    f"# {X}\nT {X}": "# x\nT $env:X",
    f"<# {X} #> T {X}": "<# x #> T $env:X",
    f'$a = @"\n{X}\n"@': '$a = @"\n${env:X}\n"@',
    f"T `\" {X} 'it''s'": "T `\" $env:X 'it''s'",
}


@pytest.mark.parametrize("text", POWERSHELL)
def test_powershell(text):
    assert imported(text, shell=Shell.PWSH) == POWERSHELL[text]


@pytest.mark.parametrize(
    "text", [f"T '{X}'", f"{X} a", f"T (  {X})", f"iex {X}", f"pwsh -Command {X}", f"$a = @'\n{X}\n'@", f"T '{X}"]
)
def test_powershell_that_is_refused(text):
    with pytest.raises(Refused):
        imported(text, shell=Shell.PWSH)


@pytest.mark.parametrize(
    ("text", "values"), [(f'T "{X}"', ("a$b", "c")), (f"T {X}", ("a b", "c")), (f"T -e {X}", ("a;b", "c"))]
)
def test_values_that_are_code_of_powershell(text, values):
    with pytest.raises(Refused, match="the value would be code"):
        imported(text, values=values, shell=Shell.PWSH)
    assert imported(text, values=("a", "b"), shell=Shell.PWSH) != text


def test_python_text_takes_no_values():
    with pytest.raises(Refused, match="an expression in Python text would turn data into code"):
        imported(f"print('{X}')", shell=Shell.PYTHON)
    assert with_variables(f"print('{X}')", Shell.PYTHON, lambda _: "a") == "print('a')"


def test_characters_of_private_use_are_refused():
    with pytest.raises(Refused):
        imported(f"echo \ue000 {X}")


PIECES = some.sampled_from([
    "a", "b=", " ", "\n", "'", '"', "`", "$(", ")", "${", "}", "(", "{ ", "[[ ", " ]]", " < ", " > ", "|", "&&", ";",
    "#", "\\", "=", " -eq ", "EOF", "<<EOF\n", "\nEOF\n", "<<'EOF'\n", "echo ", "eval ", "$((", "))", "((", "if ",
    "then ", " fi",
    "case a in ", " a) ", ";; esac", "$'", "bash -c ", "test ", "<<<", ":-", "[", "]", "$a", "!", "export ", "cat ",
])  # fmt: skip


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pieces=some.lists(PIECES, max_size=12), place=some.integers(0, 12), value=some.sampled_from(EVIL[:9] + EVIL[11:13])
)
def test_no_text_makes_it_crash_or_run_data(pieces, place, value, tmp_path):
    text = "".join([*pieces[:place], X, *pieces[place:]])
    for shell in (Shell.PWSH, Shell.SH, Shell.BASH):
        try:
            made = imported(text, shell=shell)
        except Refused:
            continue
        assert X not in made
        if shell is Shell.BASH:
            (tmp_path / "run").unlink(missing_ok=True)
            bash(made, tmp_path, X=value)
            assert not (tmp_path / "run").exists(), (text, made, value)
