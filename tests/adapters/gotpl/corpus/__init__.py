"""What is rendered by both: all that sprig's functions and Go's templates do, in small sources."""
