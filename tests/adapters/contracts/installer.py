"""What every installer promises, in operations on a real place where scripts leave real traces."""

from collections.abc import Iterable
from dataclasses import replace

from application.ports import (
    Continue,
    Finished,
    Installer,
    LogLine,
    Operation,
    PhaseEnded,
    PhaseStarted,
    Report,
)
from domain.values import OperationKind
from tests.adapters.contracts.installer_stories import (
    ONCE,
    ONCE_LINES,
    Answer,
    Place,
    end_of,
    eventually,
    line,
    phase,
    resumed,
    tell,
)


class InstallerContract:
    """Subclass it with the fixtures `installer` and `place`."""

    async def test_an_installation_tells_of_its_phases_in_order_and_ends_once(
        self, installer: Installer, place: Place
    ) -> None:
        request = place.install(
            phase("first", "echo one >> $HOME/trace"),
            phase("second", "echo two >> $HOME/trace", critical=True),
        )
        story = await tell(installer, request)
        assert place.read("trace") == "one\ntwo\n"
        assert story.started[-2:] == ["first", "second"]
        assert [end.phase for end in story.of(PhaseEnded)] == story.started
        assert [start.phases for start in story.of(PhaseStarted)] == [
            tuple(story.started) for _ in story.started
        ]
        before_last, last = story.of(PhaseEnded)[-2:]
        assert (before_last.next_phase, before_last.next_phase_critical) == ("second", True)
        assert last.next_phase is None
        assert story.finished == Finished(state=last.state)

    async def test_it_waits_for_the_answer_after_each_phase(
        self, installer: Installer, place: Place
    ) -> None:
        seen = []

        def note(operation: Operation, report: Report) -> None:
            seen.append(place.read("trace"))
            operation.answer(Continue.NEXT_PHASE)

        request = place.install(
            phase("first", "echo one >> $HOME/trace"), phase("second", "echo two >> $HOME/trace")
        )
        await tell(installer, request, answer=note)
        assert seen[-2:] == ["one\n", "one\ntwo\n"]

    async def test_an_operation_can_be_stopped_at_the_end_of_a_phase(
        self, installer: Installer, place: Place
    ) -> None:
        def stop(operation: Operation, report: Report) -> None:
            is_first = isinstance(report, PhaseEnded) and report.phase == "first"
            operation.answer(Continue.STOP_OPERATION if is_first else Continue.NEXT_PHASE)

        request = place.install(phase("first", "true"), phase("second", "echo > $HOME/second"))
        story = await tell(installer, request, answer=stop)
        assert story.finished.cancelled
        assert story.finished.error is None
        assert not (place.home / "second").exists()

    async def test_the_managers_own_error_ends_the_operation(
        self, installer: Installer, place: Place
    ) -> None:
        def fail(operation: Operation, report: Report) -> None:
            operation.answer(Continue.ERROR, "The log cannot be written.")

        story = await tell(installer, place.install(phase("first", "true")), answer=fail)
        assert story.error == "The log cannot be written."

    async def test_output_comes_line_by_line_with_the_byte_after_each(
        self, installer: Installer, place: Place
    ) -> None:
        script = (
            r"printf 'plain\n\033[1mbold\033[0m\n\n'; printf 'on stderr\n' >&2; printf 'no end'"
        )
        story = await tell(installer, place.install(phase("talk", script)))
        assert story.output("talk") == ["plain", "\x1b[1mbold\x1b[0m", "", "on stderr", "no end"]
        offsets = [each.offset for each in story.of(LogLine) if each.phase == "talk"]
        assert offsets == [6, 19, 20, 30, 36]

    async def test_a_script_knows_the_cluster_the_task_and_its_own_variables(
        self, installer: Installer, place: Place
    ) -> None:
        request = place.install(
            phase(
                "tell",
                'echo "$QUARTERDECK_CLUSTER_ID $QUARTERDECK_CLUSTER_NAME $QUARTERDECK_TASK_ID"\n'
                'echo "$QUARTERDECK_PHASE $GREETING"',
            ),
            env={"GREETING": 'it\'s "$HOME"\nand more'},
        )
        story = await tell(installer, request)
        assert story.output("tell") == [
            f"{request.cluster_id} green {request.task_id}",
            'tell it\'s "$HOME"',
            "and more",
        ]

    async def test_what_a_phase_writes_down_reaches_later_phases_and_later_tasks(
        self, installer: Installer, place: Place
    ) -> None:
        story = await tell(
            installer,
            place.install(
                phase("make", 'echo "TOKEN=a=b c" >> "$QUARTERDECK_STATE"'),
                phase("use", 'echo "$QUARTERDECK_STATE_TOKEN"'),
            ),
        )
        assert story.output("use") == ["a=b c"]
        change = place.request(
            OperationKind.CHANGE, phase("use", 'echo "again $QUARTERDECK_STATE_TOKEN"')
        )
        later = await tell(installer, replace(change, state=story.finished.state))
        assert later.output("use") == ["again a=b c"]

    async def test_a_phase_whose_check_is_content_is_skipped(
        self, installer: Installer, place: Place
    ) -> None:
        steps = (
            phase("once", "echo ran >> $HOME/ran", check="test -e $HOME/ran"),
            phase("always", "echo ran >> $HOME/always"),
        )
        await tell(installer, place.install(*steps))
        story = await tell(installer, place.request(OperationKind.CHANGE, *steps))
        assert [end.skipped for end in story.of(PhaseEnded)][-2:] == [True, False]
        assert place.read("ran") == "ran\n"
        assert place.read("always") == "ran\nran\n"

    async def test_a_failed_script_ends_the_operation_with_a_sentence(
        self, installer: Installer, place: Place
    ) -> None:
        request = place.install(
            phase("packages", "echo working; echo 'no such package' >&2; exit 2"),
            phase("never", "echo > $HOME/never"),
        )
        story = await tell(installer, request)
        assert story.error.startswith("Phase packages failed: exit code 2 after ")
        assert story.error.endswith(" s. Last line: no such package")
        assert not story.finished.is_lost
        assert not (place.home / "never").exists()

    async def test_a_script_that_hangs_is_stopped_when_its_time_is_up(
        self, installer: Installer, place: Place
    ) -> None:
        request = place.install(phase("wait", "echo waiting; sleep 600", timeout=1))
        story = await tell(installer, request)
        assert story.error == (
            "Phase wait did not end within 1 s and was stopped. Last line: waiting"
        )

    async def test_a_check_that_finds_nothing_is_in_sync(
        self, installer: Installer, place: Place
    ) -> None:
        request = place.request(OperationKind.CHECK, phase("first", "exit 9"), check="echo fine")
        story = await tell(installer, request)
        assert story.finished.in_sync is True
        assert story.finished.error is None
        assert story.started == ["check"]
        assert story.output("check") == ["fine"]

    async def test_a_check_that_finds_a_difference_says_which(
        self, installer: Installer, place: Place
    ) -> None:
        request = place.request(
            OperationKind.CHECK, phase("first", "exit 9"), check="echo kubelet is down; exit 1"
        )
        story = await tell(installer, replace(request, state={"other.json": b"kept"}))
        assert story.finished == Finished(
            state={"other.json": b"kept"}, in_sync=False, drift="check: kubelet is down"
        )

    async def test_without_a_check_of_its_own_a_plan_is_checked_by_its_phases(
        self, installer: Installer, place: Place
    ) -> None:
        story = await tell(
            installer,
            place.request(
                OperationKind.CHECK,
                phase("packages", "touch $HOME/touched", check="true"),
                phase("silent", "touch $HOME/touched"),
                phase("join", "touch $HOME/touched", check="exit 3"),
            ),
        )
        assert story.started == ["packages", "join"]
        assert story.finished.in_sync is False
        assert story.finished.drift == "join: exit code 3"
        assert not (place.home / "touched").exists()

    async def test_a_check_that_hangs_says_nothing_about_the_cluster(
        self, installer: Installer, place: Place
    ) -> None:
        check = {"script": "sleep 600", "timeout": 1}
        request = place.request(OperationKind.CHECK, phase("first", "true"), check=check)
        story = await tell(installer, request)
        assert story.error == "The check did not end within 1 s and was stopped."
        assert story.finished.in_sync is None

    async def test_a_deletion_runs_the_destroying_phases(
        self, installer: Installer, place: Place
    ) -> None:
        destroy = {"phases": [phase("leave", "echo left"), phase("wipe", "rm $HOME/trace")]}
        step = phase("first", "echo one >> $HOME/trace")
        await tell(installer, place.install(step, destroy=destroy))
        story = await tell(installer, place.request(OperationKind.DELETE, step, destroy=destroy))
        assert story.finished.error is None
        assert story.started[-2:] == ["leave", "wipe"]
        assert not (place.home / "trace").exists()

    async def test_a_deletion_of_what_needs_no_destroying_has_nothing_to_do(
        self, installer: Installer, place: Place
    ) -> None:
        story = await tell(installer, place.request(OperationKind.DELETE, phase("first", "true")))
        assert story.reports == [Finished(state=story.finished.state)]

    async def test_a_script_runs_once_though_its_manager_is_killed_under_it(
        self, installer: Installer, place: Place
    ) -> None:
        request = place.install(phase("once", ONCE))
        before = await tell(installer, request, leave_when=line("line 7"))
        after = await tell(installer, resumed(request, before))
        assert after.finished.error is None
        assert place.read("ran") == "ran\n"
        assert before.output("once") + after.output("once") == ONCE_LINES

    async def test_a_script_that_ended_while_no_manager_looked_is_not_run_again(
        self, installer: Installer, place: Place
    ) -> None:
        request = place.install(phase("once", ONCE), phase("next", "echo next >> $HOME/next"))
        before = await tell(installer, request, leave_when=line("line 1"))
        await eventually(
            lambda: "ended" in "".join(e.read_text() for e in place.home.rglob("exit")),
            "the script ends by itself",
        )
        after = await tell(installer, resumed(request, before))
        assert after.finished.error is None
        assert (place.read("ran"), place.read("next")) == ("ran\n", "next\n")
        assert before.output("once") + after.output("once") == ONCE_LINES

    async def test_a_failure_while_no_manager_looked_is_told_by_the_next(
        self, installer: Installer, place: Place
    ) -> None:
        request = place.install(phase("once", "echo ran >> $HOME/ran; echo go; sleep 1; exit 4"))
        before = await tell(installer, request, leave_when=line("go"))
        after = await tell(installer, resumed(request, before))
        assert after.error.startswith("Phase once failed: exit code 4 after ")
        assert place.read("ran") == "ran\n"

    async def test_phases_that_were_saved_are_not_repeated(
        self, installer: Installer, place: Place
    ) -> None:
        request = place.install(
            phase("first", "echo one >> $HOME/trace"), phase("second", "echo two >> $HOME/trace")
        )
        before = await tell(installer, request, leave_when=end_of("first"))
        after = await tell(installer, resumed(request, before))
        assert after.started == ["second"]
        assert place.read("trace") == "one\ntwo\n"

    async def test_another_task_runs_the_phases_again(
        self, installer: Installer, place: Place
    ) -> None:
        step = phase("first", "echo one >> $HOME/trace")
        story = await tell(installer, place.install(step))
        change = place.request(OperationKind.CHANGE, step)
        await tell(installer, replace(change, state=story.finished.state))
        assert place.read("trace") == "one\none\n"

    async def test_a_cancelled_script_ends_with_all_its_processes(
        self, installer: Installer, place: Place
    ) -> None:
        script = "sleep 600 & echo $! > $HOME/child; echo running; trap 'echo bye' TERM; wait; wait"
        request = place.install(phase("long", script), phase("never", "echo > $HOME/never"))
        story = await tell(installer, request, cancel_when=line("running"))
        assert story.finished.cancelled
        assert story.finished.error is None
        assert "bye" in story.output("long")
        child = place.processes / place.read("child").strip()
        await eventually(lambda: not child.exists(), "the child is gone")
        assert not (place.home / "never").exists()

    async def test_a_script_that_a_dead_manager_left_running_is_cancelled_by_the_next(
        self, installer: Installer, place: Place
    ) -> None:
        script = "echo $$ > $HOME/pid; echo go; exec sleep 600"
        request = place.install(phase("long", script, check="test -e $HOME/nothing"))
        before = await tell(installer, request, leave_when=line("go"))
        async with installer.open(resumed(request, before)) as operation:
            await operation.cancel()
            reports = [report async for report in operation]
        assert reports[-1] == Finished(state=before.state, cancelled=True)
        script_process = place.processes / place.read("pid").strip()
        await eventually(lambda: not script_process.exists(), "the script is gone")

    async def test_an_operation_that_waits_for_an_answer_can_be_cancelled(
        self, installer: Installer, place: Place
    ) -> None:
        request = place.install(phase("first", "true"), phase("never", "echo > $HOME/never"))
        story = await tell(
            installer, request, cancel_when=end_of("first"), answer=_answer_all_but("first")
        )
        assert story.finished.cancelled
        assert not (place.home / "never").exists()

    async def test_a_configuration_that_cannot_be_worked_on_is_a_sentence(
        self, installer: Installer, place: Place
    ) -> None:
        story = await tell(installer, place.install(phase("Not A Label", "true")))
        assert "/infrastructure/0/spec/phases/0/name" in story.error

    async def test_success_leaves_no_traces_and_a_failure_keeps_them(
        self, installer: Installer, place: Place
    ) -> None:
        await tell(installer, place.install(phase("first", "true")))
        assert _traces(place) == []
        await tell(installer, place.install(phase("first", "exit 1")))
        assert "output" in _traces(place)


def _answer_all_but(name: str) -> Answer:
    def answer(operation: Operation, report: Report) -> None:
        if not (isinstance(report, PhaseEnded) and report.phase == name):
            operation.answer(Continue.NEXT_PHASE)

    return answer


def _traces(place: Place) -> Iterable[str]:
    return [file.name for file in place.home.rglob("*") if str(place.cluster_id) in str(file)]
