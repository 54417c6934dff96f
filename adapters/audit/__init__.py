"""The audit on standard output, where a log collector takes it up."""
