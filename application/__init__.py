"""What can be done: commands, their handlers, and the promises they need from the world."""
