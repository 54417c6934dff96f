"""What an SSHInstallation, an SSHConfig and an SSHHost may say, and how their faults are named."""

from typing import Any

import pytest

from domain.installation import InstallationPlan, masters_of, plan_of
from domain.model import Fault, Invalid
from domain.secrets import Secret
from domain.values import ConnectionHost, OperationKind

PHASE = {"name": "packages", "script": "apt-get install -y containerd"}
CONFIG = {"apiVersion": "dhctl.deckhouse.io/v1", "kind": "SSHConfig", "sshUser": "ubuntu"}
HOST = {"apiVersion": "dhctl.deckhouse.io/v1", "kind": "SSHHost", "host": "10.0.0.1"}


def installation(**spec: Any) -> dict[str, Any]:
    spec.setdefault("phases", [PHASE])
    return {"apiVersion": "quarterdeck.io/v1", "kind": "SSHInstallation", "spec": spec}


def plan(
    *, config: dict[str, Any] = CONFIG, hosts: tuple[str, ...] = ("10.0.0.1",), **spec: Any
) -> InstallationPlan:
    return plan_of({"all": [installation(**spec), config, *(HOST | {"host": h} for h in hosts)]})


def faults(*documents: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refusal:
        plan_of({"all": documents})
    return [(fault.pointer, fault.detail) for fault in refusal.value.faults]


def faults_of(**spec: Any) -> list[tuple[str, str]]:
    return faults(installation(**spec), CONFIG, HOST)


def names(plan: InstallationPlan, kind: OperationKind) -> list[str]:
    return [phase.name for phase in plan.installation.phases_for(kind)]


def test_documents_are_found_in_any_section_among_any_others() -> None:
    found = plan_of(
        {
            "manifests": [{"kind": "ConfigMap"}, None, "text", 7],
            "infrastructure": [installation()],
            "ssh": [CONFIG, HOST],
            "empty": [],
        }
    )
    assert names(found, OperationKind.INSTALL) == ["packages"]
    assert found.connection.hosts == ("10.0.0.1",)


def test_the_connection_is_what_dhctl_would_read() -> None:
    config = CONFIG | {
        "sshPort": 2222,
        "sshExtraArgs": "",
        "sshAgentPrivateKeys": [{"key": "PRIVATE", "passphrase": "word"}],
        "sshBastionHost": "bastion.example",
        "sudoPassword": "s3cret",
    }
    connection = plan(config=config, hosts=("b", "a", "b")).connection
    assert (connection.user, connection.port) == ("ubuntu", 2222)
    assert connection.hosts == ("b", "a")
    assert connection.private_keys[0].key == Secret("PRIVATE")
    assert connection.bastion is not None
    assert (connection.bastion.port, connection.bastion.user) == (22, "ubuntu")
    assert connection.sudo_password == Secret("s3cret")


def test_the_masters_are_told_in_their_order_with_who_logs_in() -> None:
    hosts = [HOST | {"host": host} for host in ("b", "a", "b")]
    assert masters_of({"ssh": [CONFIG | {"sshPort": 2222}, *hosts]}) == (
        ConnectionHost(host="b", user="ubuntu", port=2222),
        ConnectionHost(host="a", user="ubuntu", port=2222),
    )


@pytest.mark.parametrize("documents", [[], [CONFIG], [HOST], [CONFIG, HOST | {"host": "a b"}]])
def test_where_no_host_can_be_reached_no_master_is_told(documents: list[Any]) -> None:
    assert masters_of({"ssh": documents}) == ()


def test_no_secret_and_no_script_shows_in_a_plan_that_is_printed() -> None:
    config = CONFIG | {"sshAgentPrivateKeys": [{"key": "hidden"}], "sudoPassword": "hidden"}
    phase = PHASE | {"script": "hidden", "check": "hidden"}
    printed = repr(plan(config=config, phases=[phase], env={"A": "hidden"}, check="hidden"))
    assert "hidden" not in printed


def test_install_and_change_run_all_phases_and_delete_those_of_destroy() -> None:
    found = plan(
        phases=[PHASE, PHASE | {"name": "join"}],
        destroy={"phases": [PHASE | {"name": "leave"}, PHASE | {"name": "wipe"}]},
    )
    assert names(found, OperationKind.INSTALL) == ["packages", "join"]
    assert names(found, OperationKind.CHANGE) == ["packages", "join"]
    assert names(found, OperationKind.DELETE) == ["leave", "wipe"]


def test_destroy_may_be_one_script_or_nothing() -> None:
    (step,) = plan(destroy={"script": "rm -r x", "timeout": "2m"}).installation.phases_for(
        OperationKind.DELETE
    )
    assert (step.name, step.script, step.timeout_seconds) == ("destroy", "rm -r x", 120)
    assert names(plan(), OperationKind.DELETE) == []


def test_a_check_is_the_plans_own_script_or_else_the_checks_of_its_phases() -> None:
    phases = [PHASE | {"check": "which kubelet"}, PHASE | {"name": "join"}]
    (own,) = plan(phases=phases, check="kubectl get nodes").installation.phases_for(
        OperationKind.CHECK
    )
    assert (own.name, own.script, own.timeout_seconds) == ("check", "kubectl get nodes", 60)
    (only,) = plan(phases=phases).installation.phases_for(OperationKind.CHECK)
    assert (only.name, only.script) == ("packages", "which kubelet")


@pytest.mark.parametrize(
    ("timeout", "seconds"),
    [("90s", 90), ("15m", 900), ("1h30m", 5400), (45, 45), ("24h", 86400)],
)
def test_a_timeout_is_a_span_or_seconds(timeout: str | int, seconds: int) -> None:
    found = plan(phases=[PHASE | {"timeout": timeout}])
    assert found.installation.phases[0].timeout_seconds == seconds


def test_a_phase_has_fifteen_minutes_when_it_does_not_say() -> None:
    assert plan().installation.phases[0].timeout_seconds == 900


@pytest.mark.parametrize("timeout", ["", "soon", "1d", "1.5h", True, 1.5, 0, "25h", -1])
def test_a_wrong_timeout_is_a_fault(timeout: object) -> None:
    ((pointer, _),) = faults_of(phases=[PHASE | {"timeout": timeout}])
    assert pointer == "/all/0/spec/phases/0/timeout"


@pytest.mark.parametrize("name", ["", "Packages", "a b", "-a", "a-", "a.b", "a" * 64, "connect"])
def test_a_phase_is_named_by_a_label_that_is_not_the_installers_own(name: str) -> None:
    ((pointer, _),) = faults_of(phases=[PHASE | {"name": name}])
    assert pointer == "/all/0/spec/phases/0/name"


def test_every_wrong_field_is_named() -> None:
    found = faults_of(
        phases=[{"name": "a", "script": " "}, {"script": "x\0", "critical": "yes", "run": "x"}],
        sudo="true",
        shell="bash",
        destroy={"phases": [PHASE], "script": "x"},
        check={},
    )
    assert [pointer for pointer, _ in found] == [
        "/all/0/spec/phases/0/script",
        "/all/0/spec/phases/1/name",
        "/all/0/spec/phases/1/script",
        "/all/0/spec/phases/1/critical",
        "/all/0/spec/phases/1/run",
        "/all/0/spec/check/script",
        "/all/0/spec/destroy",
        "/all/0/spec/shell",
        "/all/0/spec/sudo",
    ]


def test_phases_are_distinct_few_and_at_least_one() -> None:
    assert faults_of(phases=[PHASE, PHASE]) == [
        ("/all/0/spec/phases", "packages is the name of 2 phases")
    ]
    many = [PHASE | {"name": f"phase-{n}"} for n in range(51)]
    assert [pointer for pointer, _ in faults_of(phases=many)] == ["/all/0/spec/phases"]
    assert [pointer for pointer, _ in faults_of(phases=[])] == ["/all/0/spec/phases"]


def test_a_script_may_be_long_but_not_longer() -> None:
    assert plan(phases=[PHASE | {"script": "x" * 256 * 1024}])
    assert faults_of(phases=[PHASE | {"script": "ü" * 128 * 1024 + "x"}]) == [
        ("/all/0/spec/phases/0/script", "is longer than 256 KiB")
    ]


@pytest.mark.parametrize(
    "env", [{"A B": "x"}, {"QUARTERDECK_PHASE": "x"}, {"A": "\0"}, {"A": "x" * 70000}]
)
def test_variables_have_names_that_are_not_quarterdecks_own(env: dict[str, str]) -> None:
    ((pointer, _),) = faults_of(env=env)
    assert pointer == "/all/0/spec/env"


def test_missing_documents_are_named_together() -> None:
    assert [detail for _, detail in faults()] == [
        "no section holds a document of kind SSHInstallation (quarterdeck.io/v1)",
        "no section holds a document of kind SSHConfig (dhctl.deckhouse.io/v1)",
        "no section holds a document of kind SSHHost (dhctl.deckhouse.io/v1)",
    ]


def test_a_second_installation_or_config_is_a_fault_that_names_the_first() -> None:
    assert faults(installation(), CONFIG, HOST, CONFIG, installation()) == [
        ("/all/4/kind", "SSHInstallation is already given at /all/0"),
        ("/all/3/kind", "SSHConfig is already given at /all/1"),
    ]


def test_another_version_of_a_document_is_a_fault() -> None:
    later = installation() | {"apiVersion": "quarterdeck.io/v2"}
    ((pointer, _),) = faults(later, CONFIG, HOST)
    assert pointer == "/all/0/apiVersion"


def test_a_section_with_a_slash_is_escaped_in_the_pointer() -> None:
    with pytest.raises(Invalid) as refusal:
        plan_of({"a/b~c": [installation(phases=1), CONFIG, HOST]})
    assert refusal.value.faults == (
        Fault(pointer="/a~1b~0c/0/spec/phases", detail="must be a list"),
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sshUser": "-oProxyCommand=x"}, "sshUser"),
        ({"sshPort": 0}, "sshPort"),
        ({"sshPort": "22"}, "sshPort"),
        ({"sshExtraArgs": "-vvv"}, "sshExtraArgs"),
        ({"sshAgentPrivateKeys": [{"passphrase": "x"}]}, "sshAgentPrivateKeys/0/key"),
        ({"sshBastionHost": "a b"}, "sshBastionHost"),
        ({"sudoPassword": 7}, "sudoPassword"),
        ({"ssh_user": "x"}, "ssh_user"),
        ({"sshKnownHosts": "x"}, "sshKnownHosts"),
    ],
)
def test_a_config_holds_what_dhctls_does_and_no_other_field(
    change: dict[str, Any], field: str
) -> None:
    ((pointer, _),) = faults(installation(), CONFIG | change, HOST)
    assert pointer == f"/all/1/{field}"


NO_ADDRESSES = [
    "::g",
    "[::1",
    "::1]",
    "[10.0.0.1]",
    "[::1]:0",
    "[::1]:65536",
    "a:0",
    "a:b",
    "a:",
    "%x",
]


@pytest.mark.parametrize(
    "host",
    ["", "a b", "-x", "host\n", "a/b", "a..b", f"{'x' * 64}.example", *NO_ADDRESSES],
)
def test_what_is_no_name_is_no_host(host: str) -> None:
    ((pointer, _),) = faults(installation(), CONFIG, HOST | {"host": host})
    assert pointer == "/all/2/host"


@pytest.mark.parametrize(
    "host", ["m1", "m_1.example.", "10.0.0.1", "::1", "fe80::1%eth0", "x" * 63]
)
def test_a_host_is_a_name_or_an_address(host: str) -> None:
    assert plan(hosts=(host,)).connection.hosts == (host,)


@pytest.mark.parametrize(
    ("written", "host", "port"),
    [
        ("2001:DB8:0:0::7", "2001:db8::7", 2222),
        ("[2001:db8::7]", "2001:db8::7", 2222),
        ("[2001:db8::7]:23", "2001:db8::7", 23),
        ("[fe80::1%eth0]:23", "fe80::1%eth0", 23),
        ("10.0.0.1:23", "10.0.0.1", 23),
        ("m1.example:23", "m1.example", 23),
    ],
)
def test_a_host_may_bring_its_port_and_an_address_of_ipv6_has_one_form(
    written: str, host: str, port: int
) -> None:
    config = CONFIG | {"sshPort": 2222, "sshBastionHost": written, "sshBastionPort": 2222}
    (master,) = masters_of({"ssh": [config, HOST | {"host": written}]})
    assert (master.host, master.port) == (host, port)
    bastion = plan(config=config, hosts=(written,)).connection.bastion
    assert bastion
    assert (bastion.host, bastion.port) == (host, port)
