"""A password is kept apart, never shown, and stays as it was where its mask comes back."""

from domain.input_parameters import Values
from domain.secrets import MASK, Secret
from tests.domain.parameters import KEY, PASSWORD, TOKEN, ZONE, faults_of, field, filled


def test_a_password_is_kept_apart_and_never_shown() -> None:
    values = filled([ZONE, PASSWORD], {"zone": "a", "password": "correct horse"})
    assert values.plain == {"zone": "a"}
    assert values.secret == {"password": Secret("correct horse")}
    assert "correct" not in repr(values)


def test_a_refusal_never_quotes_a_password() -> None:
    schema = [{**PASSWORD, "pattern": "^[0-9]+$"}]
    assert "hunter2" not in str(faults_of(schema, {"password": "hunter2"}))


def test_a_masked_password_stays_as_it_was() -> None:
    values = filled([PASSWORD], {"password": MASK}, known_secrets={"password"})
    assert values == Values(kept=frozenset({"password"}))


def test_a_mask_needs_a_password_behind_it() -> None:
    assert faults_of([PASSWORD], {"password": MASK}) == {
        "/values/password": "is masked, and there is no earlier value to keep"
    }


def test_a_mask_is_no_value_of_what_is_no_password_any_more() -> None:
    assert faults_of([field("password")], {"password": MASK}, known_secrets={"password"})


def test_a_required_password_must_be_given_or_masked() -> None:
    assert faults_of([PASSWORD], {}, known_secrets={"password"}) == {
        "/values/password": "is required"
    }


def test_an_optional_password_may_be_taken_away() -> None:
    assert filled([TOKEN], {}, known_secrets={"token"}) == Values()


def test_an_immutable_password_stays_and_cannot_be_given_anew() -> None:
    assert filled([KEY], {}, known_secrets={"key"}).kept == {"key"}
    assert filled([KEY], {"key": MASK}, known_secrets={"key"}).kept == {"key"}
    assert faults_of([KEY], {"key": "other"}, known_secrets={"key"})
    assert filled([KEY], {"key": "first"}).secret == {"key": Secret("first")}


def test_a_password_must_be_a_text() -> None:
    assert faults_of([PASSWORD], {"password": 12345678}) == {"/values/password": "must be a text"}
