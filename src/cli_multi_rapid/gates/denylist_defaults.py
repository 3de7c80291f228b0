"""The built-in deny-list: what hardly any project wants in its code, each rule with its reason and its remedy.

High severity is for what is dangerous wherever it stands, medium and low for what has honest uses: `fail-on` of the
gate decides what blocks. Python and shell rules pass over lines that are comments as a whole. The rules look at one
line at a time; tools that parse the language see more and are run as `command` gates.
"""

from cli_multi_rapid.model.gate import Severity
from cli_multi_rapid.model.gate_settings import Pattern

_PYTHON = ("**/*.py", "**/*.pyw")
_SCRIPT = ("**/*.js", "**/*.mjs", "**/*.cjs", "**/*.jsx", "**/*.ts", "**/*.mts", "**/*.cts", "**/*.tsx")
_SHELL = (
    "**/*.sh",
    "**/*.bash",
    "**/*.zsh",
    "**/Dockerfile*",
    "**/Containerfile*",
    "**/Makefile",
    "**/*.mk",
    "**/*.yml",
    "**/*.yaml",
)
_POWERSHELL = ("**/*.ps1", "**/*.psm1")
_SQL = ("**/*.sql", *_PYTHON, *_SCRIPT, "**/*.php", "**/*.rb", "**/*.java", "**/*.go", "**/*.cs")

# From the start of a line that is no comment to anything in it.
_CODE = r"^\s*(?:[^#\s].*)?"
# The same up to a place where a Python expression can begin: not after a dot, a name or a quote.
_EXPRESSION = (
    r"^\s*(?:(?:[^#\s].*)?(?:[^\w\s.#'\"`]|\b(?:and|assert|await|elif|else|if|in|is|not|or|return|while|yield)\s)\s*)?"
)

# A call with something in it; prose speaks of calls with nothing between the brackets.
_OPENED = r"\s*\(\s*(?:[^\s)]|$)"


DEFAULT_SET: tuple[Pattern, ...] = (
    Pattern(
        id="python-eval",
        pattern=rf"{_EXPRESSION}(eval{_OPENED})|\bbuiltins\.eval\s*\(",
        paths=_PYTHON,
        severity=Severity.HIGH,
        message="eval runs text as code",
        fix="use ast.literal_eval, or a parser of your own",
    ),
    Pattern(
        id="python-exec",
        pattern=rf"{_EXPRESSION}(exec{_OPENED})|\bbuiltins\.exec\s*\(",
        paths=_PYTHON,
        severity=Severity.HIGH,
        message="exec runs text as code",
        fix="write the code down, or import it",
    ),
    Pattern(
        id="python-os-system",
        pattern=rf"{_CODE}(\bos\.(?:system|popen)\s*\()",
        paths=_PYTHON,
        severity=Severity.HIGH,
        message="os.system and os.popen hand text to a shell",
        fix="use subprocess.run with a list of arguments",
    ),
    Pattern(
        id="python-shell-true",
        pattern=rf"{_CODE}(\bshell\s*=\s*True\b)",
        paths=_PYTHON,
        severity=Severity.HIGH,
        message="a shell interprets this text",
        fix="give subprocess a list of arguments and no shell",
    ),
    Pattern(
        id="python-pickle-load",
        pattern=rf"{_CODE}(\b(?:c?[Pp]ickle|cloudpickle|dill|marshal)\.(?:loads?|Unpickler)\s*\()",
        paths=_PYTHON,
        severity=Severity.HIGH,
        message="unpickling runs whatever code the data names",
        fix="use JSON or another format that is data only",
    ),
    Pattern(
        id="python-yaml-load",
        pattern=(
            rf"{_CODE}(\byaml\.(?:"
            r"(?:unsafe_load|full_load)(?:_all)?\s*\("
            r"|load(?:_all)?\s*\((?:(?:[^(),]|\([^()]*\))*\)|[^,]*$)"
            r"|load(?:_all)?\s*\(.*[,=]\s*(?:yaml\.)?(?:Unsafe|Full)?Loader\s*[,)]))"
        ),
        paths=_PYTHON,
        severity=Severity.HIGH,
        message="this YAML loader can build arbitrary objects",
        fix="use yaml.safe_load",
    ),
    Pattern(
        id="python-verify-false",
        pattern=rf"{_CODE}(\b(?:verify\s*=\s*False\b|ssl\._create_unverified_context\b|verify_mode\s*=\s*ssl\.CERT_NONE\b))",
        paths=_PYTHON,
        severity=Severity.HIGH,
        message="certificates are not checked, so anyone can answer",
        fix="leave verification on; give the path of your own CA if you have one",
    ),
    Pattern(
        id="python-weak-hash",
        pattern=rf"{_CODE}(\bhashlib\.(?:(?:md5|sha1)\s*\((?:(?:[^()=]|\([^()=]*\))*\)|[^=]*$)|new\s*\(\s*[\"'](?i:md5|sha1)\b))",
        paths=_PYTHON,
        severity=Severity.MEDIUM,
        message="MD5 and SHA-1 are broken for security",
        fix="use hashlib.sha256, or say usedforsecurity=False",
    ),
    Pattern(
        id="python-mktemp",
        pattern=rf"{_CODE}(\btempfile\.mktemp\s*\()",
        paths=_PYTHON,
        severity=Severity.MEDIUM,
        message="somebody else can create the file first",
        fix="use tempfile.mkstemp or NamedTemporaryFile",
    ),
    Pattern(
        id="script-eval",
        pattern=r"^\s*(?:[^/*\s].*[^\w.$'\"`]|[^/*\w\s.$'\"`])?\s*(eval\s*\(|new\s+Function\s*\()|\b(?:window|globalThis)\.eval\s*\(",
        paths=_SCRIPT,
        severity=Severity.HIGH,
        message="this runs text as code",
        fix="use JSON.parse, or write the code down",
    ),
    Pattern(
        id="script-tls-off",
        pattern=r"\brejectUnauthorized['\"]?\s*:\s*false\b|\bNODE_TLS_REJECT_UNAUTHORIZED\b['\"\]]*\s*=\s*['\"]?0",
        paths=(*_SCRIPT, *_SHELL),
        severity=Severity.HIGH,
        message="certificates are not checked, so anyone can answer",
        fix="leave verification on; give the path of your own CA if you have one",
    ),
    Pattern(
        id="pipe-to-shell",
        pattern=(
            rf"{_CODE}(\b(?:curl|wget)\b[^|]*\|\s*(?:sudo\s+(?:-\S+\s+)*)?(?:/(?:usr/)?bin/)?(?:env\s+)?"
            r"(?:(?:ba|da|k|z)?sh|python[0-9.]*)\b"
            r"|\b(?:(?:ba|z|k)?sh|source|eval)\s+(?:-c\s+)?['\"]?[<$]\(\s*(?:curl|wget)\b)"
        ),
        paths=(*_SHELL, *_PYTHON),
        severity=Severity.HIGH,
        message="whatever the server answers is run",
        fix="download it, check its SHA-256, then run it",
    ),
    Pattern(
        id="remove-root",
        pattern=rf"{_CODE}(\brm\s+-(?:[a-zA-Z]*r[a-zA-Z]*f|[a-zA-Z]*f[a-zA-Z]*r)[a-zA-Z]*\s+(?:--no-preserve-root\s+)?/(?:\*|\s|$))",
        paths=_SHELL,
        severity=Severity.HIGH,
        message="this removes the whole system",
        fix="name the folder that is meant",
    ),
    Pattern(
        id="world-writable",
        pattern=rf"{_CODE}(\bchmod\s+(?:-\S+\s+)*0?777\b)",
        paths=_SHELL,
        severity=Severity.MEDIUM,
        message="anyone may write here",
        fix="give rights to the owner or a group",
    ),
    Pattern(
        id="git-no-verify",
        pattern=rf"{_CODE}(\bgit\b.*['\"\s]--no-verify(?:['\"\s,)\]]|$))",
        paths=(*_SHELL, *_PYTHON, *_POWERSHELL),
        severity=Severity.MEDIUM,
        message="the hooks that check a commit are skipped",
        fix="let the hooks run, or correct the one that is wrong",
    ),
    Pattern(
        id="git-tls-off",
        pattern=rf"(?i){_CODE}(\b(?:http\.sslVerify['\"]?[\s=,]+['\"]?(?:false|0)\b|GIT_SSL_NO_VERIFY\s*[=:]))",
        paths=(*_SHELL, *_PYTHON, *_POWERSHELL),
        severity=Severity.HIGH,
        message="git accepts any server",
        fix="leave verification on",
    ),
    Pattern(
        id="sql-drop",
        pattern=r"(?i)^\s*(?:[^#\s\-].*)?\b((?:DROP\s+(?:TABLE|DATABASE|SCHEMA)|TRUNCATE\s+TABLE)\s+['\"`\[{%\w])",
        paths=_SQL,
        severity=Severity.MEDIUM,
        message="this deletes data for good",
        fix="leave it to a reviewed migration, and exclude that file",
    ),
    Pattern(
        id="powershell-invoke",
        pattern=rf"(?i){_CODE}((?:^|[\s|;({{])(?:Invoke-Expression|iex)(?:[\s(]|$))",
        paths=_POWERSHELL,
        severity=Severity.HIGH,
        message="this runs text as code",
        fix="call the command itself, with its arguments",
    ),
    Pattern(
        id="private-key",
        pattern=(
            r"-----BEGIN (?:(?:RSA|DSA|EC|OPENSSH|ENCRYPTED) )?PRIVATE KEY-----(?:\s*$|\\[nr])"
            r"|-----BEGIN PGP PRIVATE KEY BLOCK-----(?:\s*$|\\[nr])"
        ),
        paths=("**",),
        severity=Severity.HIGH,
        message="a private key lies in the project",
        fix="remove it, replace the key everywhere, and keep the new one out of the repository",
    ),
)
"""The rules, each with an id that waivers and reports use."""
