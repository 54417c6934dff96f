"""Figures, each measured beside a peer or a raw baseline in the same run."""
