"""The processes: each is one function that opens what it needs, serves, and closes in reverse."""
