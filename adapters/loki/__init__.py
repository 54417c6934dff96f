"""The audit in Loki."""
