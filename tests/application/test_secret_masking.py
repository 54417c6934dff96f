"""A secret is masked in whichever of the usual forms it was printed, in time linear in the text."""

import base64
import html
import json
import random
import shlex
import subprocess
import timeit
from urllib.parse import quote, quote_plus

import pytest

from application.secret_masking import SecretMasker

SECRET = "pa ss/wörd \"&'<$`\\1>+end"
TOKEN = base64.b64encode(random.Random(5).randbytes(400)).decode()
PEM = "\n".join(
    ["-----BEGIN KEY-----", *(TOKEN[n : n + 64] for n in range(0, 256, 64)), "-----END KEY-----"]
)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "printed",
    [
        SECRET,
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        quote(SECRET),
        quote(SECRET, safe=""),
        quote(SECRET, safe="").lower(),
        quote_plus(SECRET),
        shlex.quote(SECRET)[1:-1],
        SECRET.replace("'", "''"),
        html.escape(SECRET),
        encoded(SECRET).rstrip("="),
        base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
    ],
)
def test_a_secret_is_masked_in_every_usual_form(printed: str) -> None:
    assert SecretMasker([SECRET.lower(), SECRET]).masked(f"<{printed}>") == "<***>"


@pytest.mark.parametrize("words", [("bash", "-c", 'printf %q "$1"', "bash"), ("echo",)])
def test_a_secret_is_masked_as_a_shell_prints_it(words: tuple[str, ...]) -> None:
    secret = "two words & $more"
    printed = subprocess.run([*words, secret], capture_output=True, text=True, check=True).stdout
    assert SecretMasker([secret]).masked(printed).strip() == "***"


@pytest.mark.parametrize("before", ["", "u", "us", "usr", "user:"])
@pytest.mark.parametrize("after", ["", "\n", "@host", "@hosts"])
def test_a_secret_is_masked_wherever_it_stands_in_a_longer_encoded_text(
    before: str, after: str
) -> None:
    masked = SecretMasker(["open-sesame"]).masked(encoded(f"{before}open-sesame{after}"))
    assert "***" in masked
    assert len(masked.replace("***", "")) <= len(encoded(f"{before}  {after}"))


@pytest.mark.parametrize("width", [64, 76, 10_000])
def test_a_long_secret_is_masked_whole_and_broken_into_lines(width: int) -> None:
    for text in (TOKEN, encoded(TOKEN).rstrip("=")):
        lines = [text[n : n + width] for n in range(0, len(text), width)]
        masker = SecretMasker([TOKEN])
        assert {masker.masked(line) for line in lines if len(line) >= 8} == {"***"}


def test_each_long_line_of_a_secret_of_several_lines_is_masked() -> None:
    masker = SecretMasker([PEM + "\nshort\n"])
    lines = masker.masked(PEM).splitlines()
    assert lines == ["-----BEGIN KEY-----", "***", "***", "***", "***", "-----END KEY-----"]
    assert masker.masked("short") == "short"
    assert masker.masked(json.dumps(PEM + "\nshort\n")) == '"***"'


def test_secrets_that_overlap_leave_nothing_of_each_other() -> None:
    assert SecretMasker(["abcdef", "defghi", "abcd"]).masked("xabcdefghi abcd") == "x*** ***"


@pytest.mark.parametrize("secret", ["", "   ", "abc", "\n\n", "\ud800"])
def test_what_is_too_short_to_be_told_apart_is_left(secret: str) -> None:
    assert SecretMasker([secret]).masked("abc def \n") == "abc def \n"


def test_the_beginning_of_a_secret_in_a_sentence_that_was_cut_is_masked() -> None:
    masker = SecretMasker(["open-sesame"])
    assert masker.masked("a: said open-ses…\nb: open-se") == "a: said ***…\nb: open-se"


@pytest.mark.parametrize(
    "secrets",
    [
        [random.Random(n).randbytes(12).hex() for n in range(1000)],
        ["a" * length + "b" for length in range(4, 1000)],
    ],
    ids=["a thousand", "all alike"],
)
def test_a_thousand_secrets_cost_no_more_than_their_text(secrets: list[str]) -> None:
    masker = SecretMasker(secrets)
    text = "".join(random.Random(1).choices("ab0123", k=100_000)) + "a" * 20_000

    def seconds(times: int) -> float:
        """The least of three: what disturbs a machine only ever adds."""
        return min(timeit.repeat(lambda: masker.masked(text * times), number=1, repeat=3))

    assert seconds(4) < 12 * max(seconds(1), 0.01)
    assert masker.masked(f"<{secrets[500]}>") == "<***>"
