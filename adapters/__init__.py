"""How Quarterdeck touches the world: one folder per technology, wired by the processes."""
