"""Input parameters are what a template asks of its clusters: a schema, and values that fit it."""

from domain.input_parameters.parsing import parse_parameters
from domain.input_parameters.schema import (
    Format,
    Header,
    Parameter,
    ParameterType,
    absent_values,
    fields_of,
    unique_keys,
)
from domain.input_parameters.validation import Values, validate_values

__all__ = [
    "Format",
    "Header",
    "Parameter",
    "ParameterType",
    "Values",
    "absent_values",
    "fields_of",
    "parse_parameters",
    "unique_keys",
    "validate_values",
]
