"""Files that secrets lie in: source and configuration formats, odd carriers, and disguises."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from xml.sax.saxutils import escape, quoteattr

from secrets_kinds import Secret, text

_MINIFIED = 120_000


@dataclass(frozen=True, slots=True)
class Carried:
    """A file: its path and its bytes."""

    path: str
    data: bytes


Carrier = Callable[[str, str, Random], Carried]
"""What puts a name and a value into a file."""


def _carrier(path: str, form: Callable[[str, str], str], *, encoding: str = "utf-8") -> Carrier:
    def carry(name: str, value: str, _random: Random) -> Carried:
        return Carried(path, form(name, value).encode(encoding))

    return carry


def _python(name: str, value: str) -> str:
    return f'import os\n\nDEBUG = False\n{name} = "{value}"\nTIMEOUT_S = 30\n'


def _yaml(name: str, value: str) -> str:
    return f'service:\n  port: 8080\n  {name}: "{value}"\n  retries: 3\n'


def _json(name: str, value: str) -> str:
    return json.dumps({"port": 8080, name: value, "retries": 3}, indent=2).replace("\\\\n", "\\n") + "\n"


def _powershell(name: str, value: str) -> str:
    return f'param([int]$Port = 8080)\n${name} = "{value}"\nWrite-Output $Port\n'


def _xml(name: str, value: str) -> str:
    return f"<settings>\n  <port>8080</port>\n  <{name}>{escape(value)}</{name}>\n</settings>\n"


def _app_config(name: str, value: str) -> str:
    added = f'<add key="{name}" value={quoteattr(value)} />'
    return f"<configuration>\n <appSettings>\n  {added}\n </appSettings>\n</configuration>\n"


def _java(name: str, value: str) -> str:
    return f'class C {{\n  static final String {name} = "{value}";\n}}\n'


def _lock(name: str, value: str) -> str:
    package = {"version": "1.2.3", "resolved": "https://registry.example.org/a.tgz", name: value}
    return json.dumps({"lockfileVersion": 3, "packages": {"node_modules/a": package}}, indent=2) + "\n"


def _svg(name: str, value: str) -> str:
    start = '<svg xmlns="http://www.w3.org/2000/svg">'
    return f'{start}\n <desc {name}={quoteattr(value)}/>\n <path d="M0 0L9 9z"/>\n</svg>\n'


def _minified(name: str, value: str, random: Random) -> Carried:
    parts = [f"function {text(random, 2, 'abcdefgh')}(a,b){{return a.k{n}+b[{n}]||0}}" for n in range(_MINIFIED // 40)]
    parts.insert(len(parts) // 2, f'var c={{port:8080,{name}:"{value}",retries:3}}')
    return Carried("dist/app.min.js", ";".join(parts).encode())


FORMATS: Mapping[str, Carrier] = {
    "python": _carrier("src/settings.py", _python),
    ".env": _carrier(".env", lambda name, value: f"PORT=8080\n{name}={value}\nRETRIES=3\n"),
    "yaml": _carrier("deploy/service.yaml", _yaml),
    "json": _carrier("config/service.json", _json),
    "properties": _carrier("app.properties", lambda name, value: f"app.port=8080\napp.{name}={value}\n"),
    "toml": _carrier("service.toml", lambda name, value: f'[service]\nport = 8080\n{name} = "{value}"\n'),
    "powershell": _carrier("setup.ps1", _powershell),
    "xml": _carrier("settings.xml", _xml),
    "app.config": _carrier("App.config", _app_config),
    "javascript": _carrier("src/client.js", lambda name, value: f"const port = 8080;\nconst {name} = '{value}';\n"),
    "java": _carrier("src/Client.java", _java),
    "shell": _carrier("deploy.sh", lambda name, value: f"#!/bin/sh\nexport PORT=8080\nexport {name}='{value}'\n"),
    "mql4": _carrier("Expert.mq4", lambda name, value: f'#property strict\ninput string {name} = "{value}";\n'),
}
"""Everyday files."""

ODD: Mapping[str, Carrier] = {
    "package-lock.json": _carrier("package-lock.json", _lock),
    "svg": _carrier("img/logo.svg", _svg),
    "minified, one line": _minified,
    "node_modules": _carrier("node_modules/a/index.js", lambda name, value: f'exports.{name} = "{value}"\n'),
    "utf-16 with mark": _carrier("settings.py", _python, encoding="utf-16"),
    "utf-16-le, no mark": _carrier("settings.py", _python, encoding="utf-16-le"),
    "utf-16-be, no mark": _carrier("settings.py", _python, encoding="utf-16-be"),
}
"""Files that scanners tend to pass over."""


def _halves(value: str) -> tuple[str, str]:
    # A cut behind the prefix of a token leaves no half that a rule could know.
    at = min(len(value) // 2, 12)
    return value[:at], value[at:]


def _plus(name: str, value: str) -> str:
    return _python(name, '" + "'.join(_halves(value)))


def _implicit(name: str, value: str) -> str:
    one, two = _halves(value)
    return f'import os\n\n{name} = (\n    "{one}"\n    "{two}"\n)\n'


def _plus_lines(name: str, value: str) -> str:
    one, two = _halves(value)
    return f'class C {{\n  static final String {name} = "{one}"\n      + "{two}";\n}}\n'


def _shell(name: str, value: str) -> str:
    return f"#!/bin/sh\nexport {name}='" + "''".join(_halves(value)) + "'\n"


def _dots(name: str, value: str) -> str:
    return f"<?php\n${name} = '" + "' . '".join(_halves(value)) + "';\n"


def _base64(name: str, value: str) -> str:
    return _yaml(f"{name}_b64", base64.b64encode(value.encode()).decode())


def _hex(name: str, value: str) -> str:
    return _python(f"{name}_hex", value.encode().hex())


DISGUISES: Mapping[str, Carrier] = {
    '"a" + "b"': _carrier("src/settings.py", _plus),
    "implicit, in parentheses": _carrier("src/settings.py", _implicit),
    '"a" + newline "b"': _carrier("src/Client.java", _plus_lines),
    "shell 'a''b'": _carrier("deploy.sh", _shell),
    "php 'a' . 'b'": _carrier("index.php", _dots),
    "base64": _carrier("deploy/service.yaml", _base64),
    "hexadecimal": _carrier("src/settings.py", _hex),
}
"""What hides a secret from a search for its form."""


def carried(secret: Secret, carrier: Carrier, random: Random) -> Carried:
    """Put a secret into a file; a block becomes the whole of it."""
    if secret.block:
        return Carried("notes.txt", f"notes\n\n{secret.value}\n".encode())
    return carrier(secret.name, secret.value, random)
