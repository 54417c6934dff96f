"""Sprig's functions as gotpl answers them."""

from collections.abc import Callable, Mapping
from typing import Any

from gotpl.funcs.sprig import text_func_map

SPRIG: Mapping[str, Callable[..., Any]] = text_func_map()
