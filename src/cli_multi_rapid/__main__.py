"""`python -m cli_multi_rapid`."""

from cli_multi_rapid.cli.app import entry

if __name__ == "__main__":
    raise SystemExit(entry("python -m cli_multi_rapid"))
