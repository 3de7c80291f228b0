"""Plans and runs phases; its state is the fold of an append-only event log."""
