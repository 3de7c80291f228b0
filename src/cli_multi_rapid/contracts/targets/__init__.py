"""The languages that contracts become code of, a package each."""
