"""Settings come from QUARTERDECK_* variables or files they name; what is wrong is named."""

from pathlib import Path

import pytest

from adapters.settings import BadSettings, Settings

HIDDEN = "postgresql://owner:swordfish@db/quarterdeck"


def read(**environment: str) -> Settings:
    return Settings.from_environment(
        {f"QUARTERDECK_{name}": value for name, value in environment.items()}
    )


def complaint(**environment: str) -> str:
    with pytest.raises(BadSettings) as bad:
        read(**environment)
    return str(bad.value)


def test_without_a_variable_everything_has_a_default() -> None:
    settings = Settings.from_environment({"PATH": "/bin", "HOME": "/"})
    assert settings.url == "http://localhost:8080"
    assert settings.database_url is None


def test_variables_are_read_as_what_they_are() -> None:
    settings = read(PORT="9000", LEASE_SECONDS="2.5", DATA="/data", LOG_FORMAT="json")
    assert (settings.port, settings.lease_seconds) == (9000, 2.5)
    assert settings.data == Path("/data")
    assert settings.log_format == "json"


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("PUBLIC_URL", "quarterdeck.example", "this is no address"),
        ("PUBLIC_URL", "https://", "this is no address"),
        ("PUBLIC_URL", "http://[::1", "Invalid IPv6"),
        ("PUBLIC_URL", "https://host.example/quarterdeck", "needs a host name of its own"),
        ("PUBLIC_URL", "https://host.example/?a=b", "needs a host name of its own"),
        ("PUBLIC_URL", "https://host.example/#a", "needs a host name of its own"),
        ("PUBLIC_URL", "https://me@host.example", "needs a host name of its own"),
        ("LOKI_URL", "loki:3100", "this is no address"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,192.168.0.0/16", "10.0.0.0/8,192.168.0.0/16 is no network"),
        ("TRUSTED_PROXIES", "10.0.0.1 proxy", "proxy is no network"),
    ],
)
def test_what_would_fail_with_each_request_is_refused_at_the_start(
    variable: str, value: str, told: str
) -> None:
    said = complaint(**{variable: value})
    assert said.startswith(f"QUARTERDECK_{variable}: ")
    assert told.lower() in said.lower()


def test_an_empty_variable_is_none() -> None:
    assert read(KAFKA="", PORT="").kafka is None


def test_what_is_given_on_the_command_line_wins() -> None:
    environment = {"QUARTERDECK_PORT": "9000"}
    assert Settings.from_environment(environment, port=9001, host=None).port == 9001


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("QUARTERDECK_DATABSE_URL", "QUARTERDECK_DATABASE_URL"),
        ("QUARTERDECK_PORTS", "QUARTERDECK_PORT"),
        ("QUARTERDECK_LOKI", "QUARTERDECK_LOKI_URL"),
    ],
)
def test_an_unknown_variable_is_named_with_the_one_that_was_meant(
    variable: str, meant: str
) -> None:
    with pytest.raises(BadSettings) as bad:
        Settings.from_environment({variable: "x"})
    assert str(bad.value) == f"{variable} is no setting of Quarterdeck. Did you mean {meant}?"


def test_an_unknown_variable_that_is_like_nothing_is_named() -> None:
    assert complaint(XYZZY="1") == "QUARTERDECK_XYZZY is no setting of Quarterdeck."


def test_a_variable_of_the_test_bed_is_none_of_ours() -> None:
    read(TESTBED="/somewhere")


def test_a_value_may_be_kept_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text(f"{HIDDEN}\n")
    settings = read(DATABASE_URL_FILE=str(tmp_path / "url"))
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == HIDDEN


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    assert complaint(KEYS_FILE=str(missing)) == (
        f"QUARTERDECK_KEYS_FILE: {missing} cannot be read (No such file or directory)."
    )
    assert "cannot be read" in complaint(KEYS_FILE=str(tmp_path))
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    assert "is no text file" in complaint(KEYS_FILE=str(tmp_path / "binary"))


def test_a_value_and_a_file_for_it_are_one_too_many(tmp_path: Path) -> None:
    (tmp_path / "port").write_text("9000")
    assert complaint(PORT="9001", PORT_FILE=str(tmp_path / "port")) == (
        "QUARTERDECK_PORT and QUARTERDECK_PORT_FILE are both set."
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("SLOTS", "0"),
        ("LEASE_SECONDS", "-1"),
        ("LEASE_SECONDS", "inf"),
        ("LEASE_SECONDS", "nan"),
        ("AUDIT_FORMAT", "xml"),
        ("LOG_LEVEL", "loud"),
        ("TIME_ZONE", "Mars/Olympus"),
        ("TIME_ZONE", "../etc/passwd"),
    ],
)
def test_a_bad_value_is_named_in_a_sentence(name: str, value: str) -> None:
    sentence = complaint(**{name: value})
    assert sentence.startswith(f"QUARTERDECK_{name}: ")
    assert sentence.endswith(".")


def test_every_bad_value_is_named() -> None:
    assert len(complaint(PORT="x", SLOTS="y", LOG_LEVEL="z").splitlines()) == 3


def test_a_secret_is_shown_nowhere() -> None:
    settings = read(DATABASE_URL=HIDDEN, KEYS="1:c3dvcmRmaXNo")
    assert "swordfish" not in f"{settings!r}{settings}{settings.model_dump_json()}"
    assert "c3dvcmRmaXNo" not in f"{settings!r}{settings}{settings.model_dump_json()}"
    told = complaint(DATABASE_URL=HIDDEN, PORT="x")
    assert "swordfish" not in told


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({"HOST": "0.0.0.0"}, "http://localhost:8080"),
        ({"HOST": "10.0.0.9", "PORT": "80"}, "http://10.0.0.9:80"),
        ({"PUBLIC_URL": "https://fleet.example.org/"}, "https://fleet.example.org"),
    ],
)
def test_the_address_is_the_one_that_others_use(given: dict[str, str], url: str) -> None:
    assert read(**given).url == url


def test_a_process_has_a_name() -> None:
    assert read(NAME="manager-1").process_name == "manager-1"
    assert "-" in read().process_name


def test_every_setting_says_what_it_is() -> None:
    unsaid = [n for n, f in Settings.model_fields.items() if not f.description]
    assert unsaid == []
