"""The values that every source is given."""

from collections.abc import Mapping
from typing import Any

VALUES: Mapping[str, Any] = {
    "name": "db",
    "text": "The quick  brown fox\njumps over the lazy dog",
    "accents": "Grüße, Ægir & 世界 🚀",
    "html": "<a href='x?y=1&z=\"2\"'>é</a>",
    "count": 3,
    "zero": 0,
    "negative": -7,
    "large": 1234567890123,
    "ratio": 2.5,
    "tiny": 1e-7,
    "huge": 1e21,
    "million": 1000000.0,
    "yes": True,
    "no": False,
    "blank": "",
    "none": None,
    "list": [1, "two", 3.5, None, True],
    "numbers": [3, 1, 2],
    "names": ["b", "a", "c", "a", ""],
    "nested": [[1, 2], [3], []],
    "empty": [],
    "map": {"b": 2, "a": 1, "c": {"d": {"e": "deep"}}, "n": None},
    "people": [{"name": "Ada", "age": 36}, {"name": "Grace"}, {"age": 1}],
    "hollow": {},
}
