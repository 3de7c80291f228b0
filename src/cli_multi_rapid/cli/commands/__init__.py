"""The commands, by what they are for. Each is found through the table in `cli.table`."""
