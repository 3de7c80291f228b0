"""Shell completion scripts, for both names of the program."""

import os
from typing import ClassVar

from click.shell_completion import (
    CompletionItem,
    ShellComplete,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

_PROGRAMS = ("cli-multi-rapid", "cmr")


@add_completion_class
class PowerShellComplete(ShellComplete):
    """Completion for PowerShell, which click itself does not have."""

    name: ClassVar[str] = "powershell"
    source_template: ClassVar[str] = """\
Register-ArgumentCompleter -Native -CommandName %(prog_name)s -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $env:%(complete_var)s = "powershell_complete"
    $env:CMR_COMPLETE_WORDS = $commandAst.ToString()
    $env:CMR_COMPLETE_WORD = $wordToComplete
    %(prog_name)s | ForEach-Object {
        $value, $help = $_ -split "`t", 2
        if (-not $help) { $help = $value }
        [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $help)
    }
    Remove-Item Env:%(complete_var)s, Env:CMR_COMPLETE_WORDS, Env:CMR_COMPLETE_WORD
}
"""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the one to be completed, and that one."""
        words = split_arg_string(os.environ["CMR_COMPLETE_WORDS"])[1:]
        incomplete = os.environ.get("CMR_COMPLETE_WORD", "")
        return (words[:-1] if incomplete and words else words), incomplete

    def format_completion(self, item: CompletionItem) -> str:
        """Return one line of a completion."""
        return f"{item.value}\t{item.help or ''}"


def script(shell: str) -> str:
    """Return the completion script of a shell for `cli-multi-rapid` and `cmr`."""
    from cli_multi_rapid.cli.app import app

    found = get_completion_class(shell)
    assert found is not None
    parts = []
    for program in _PROGRAMS:
        variable = f"_{program.replace('-', '_')}_COMPLETE".upper()
        one = found(app, {}, program, variable)
        parts.append(one.source_template % one.source_vars())  # source() would first run the shell to ask its version
    return "\n".join(parts)
