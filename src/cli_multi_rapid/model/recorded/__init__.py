"""What each kind of event records: types made from contracts/events by generate-models, for type checkers only."""
