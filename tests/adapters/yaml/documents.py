"""Documents as hypothesis makes them, with the texts that YAML readers disagree about."""

from hypothesis import strategies as st

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
    | st.from_regex(r"[-+0-9a-fA-Fox_.:eEyYnN~<=*&!|>%@ ]{1,12}", fullmatch=True)
    | st.sampled_from(
        [
            "yes",
            "no",
            "on",
            "off",
            "Yes",
            "NULL",
            "~",
            "true",
            "1e3",
            "0777",
            "0o17",
            "1_000",
            "12:30",
            "<<",
            "=",
            ".inf",
        ]
    )
)
keys = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=30,
)
documents = st.lists(values.filter(lambda value: value is not None), max_size=4)
