"""What can be seen: one file is one read model, its table, its rules and its queries."""
