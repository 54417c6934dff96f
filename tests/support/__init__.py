"""Support is what tests of every ring share: real servers, builders and scenarios."""
