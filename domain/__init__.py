"""What is true: the facts of the fleet, the decisions that make them, and nothing that waits."""
