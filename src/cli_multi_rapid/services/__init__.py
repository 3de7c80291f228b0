"""What a user can ask for, one function each; the only place that wires the layers together."""
