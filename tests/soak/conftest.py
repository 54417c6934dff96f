"""What every long form may ask for."""

import random
import secrets

import pytest


@pytest.fixture
def chance() -> random.Random:
    """Another course each time, which is printed so that it can be gone again."""
    seed = secrets.randbits(32)
    print(f"\nseed {seed}", flush=True)
    return random.Random(seed)
