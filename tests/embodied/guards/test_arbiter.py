"""Tests of the arbiter with commands that are only legal or illegal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from embodied import Stamped, Time
from embodied.guards.arbiter import Arbiter
from embodied.messages import Command, GuardReport, Reset, Stop

RANKS = ("operator", "command")
NONE: Sequence[Stamped[Reset]] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Word(Command):
    """A command that is illegal for the reason that it gives."""

    wrong: str = ""


def problem(word: Word) -> str:
    return word.wrong


class Rig:
    """Steps an arbiter through periods of 10 ms."""

    def __init__(self, lease: float = 0.02) -> None:
        self.arbiter = Arbiter[Word](RANKS, lease, "it rests")
        self.n = 0

    def step(
        self,
        command: Word | None = None,
        operator: Word | None = None,
        *,
        stop: Sequence[str] = (),
        causes: Sequence[str] = (),
        reset: bool = False,
        obstacle: str = "",
        resting: bool = True,
    ) -> tuple[Word | None, str]:
        now = Time(self.n * 10_000_000)
        self.n += 1
        words = {"operator": operator, "command": command}
        commands = {
            name: None if word is None else Stamped(word, now, self.n, f"{name}.command")
            for name, word in words.items()
        }
        self.commanded = self.arbiter.receive(commands, resting, now)
        resets = [Stamped(Reset(by="a person"), now, self.n, "panel.reset")] if reset else NONE
        self.released = self.arbiter.latch([Stop(reason=reason) for reason in stop], causes, resets, now)
        return self.arbiter.select(obstacle, problem)


def report(state: str, source: str = "", clips: tuple[str, ...] = (), refusals: tuple[str, ...] = ()) -> GuardReport:
    return GuardReport(state=state, source=source, clips=clips, refusals=refusals)


def test_the_highest_rank_that_commands_is_followed() -> None:
    rig, low, high = Rig(), Word(), Word()
    assert rig.step(low) == (low, "")
    assert (rig.commanded, rig.arbiter.source) == (True, "command")
    followed, refusal = rig.step(low, high)
    assert followed is high
    assert (refusal, rig.arbiter.source) == ("", "operator")


def test_silence_is_refused_and_a_lower_rank_waits_for_the_lease() -> None:
    rig = Rig(lease=0.02)
    assert rig.step() == (None, "no fresh command")
    assert not rig.commanded
    rig.step(Word(), Word())
    waits = "operator has the lease; command waits until it was silent for 0.02 s and it rests"
    assert rig.step(Word()) == (None, waits)
    assert rig.step(Word(), resting=False) == (None, waits)
    assert rig.step(Word())[1] == ""
    assert rig.arbiter.source == "command"


def test_a_command_of_the_last_period_is_not_followed_in_this_one() -> None:
    rig = Rig()
    rig.step(Word())
    assert rig.step() == (None, "no fresh command")


def test_an_illegal_command_is_refused_with_its_commander_who_keeps_the_lease() -> None:
    rig = Rig()
    assert rig.step(Word(), Word(wrong="speed must be finite, got nan")) == (
        None,
        "operator: speed must be finite, got nan",
    )
    assert rig.arbiter.source == "operator"


def test_a_stop_latches_until_a_reset_and_a_newer_command() -> None:
    rig = Rig()
    stopped = "stopped: a dog; needs a reset and a fresh command"
    assert not rig.arbiter.stopped
    assert rig.step(Word(), stop=["a dog"]) == (None, stopped)
    assert rig.step(Word()) == (None, stopped)
    assert rig.arbiter.stopped == stopped
    assert rig.step(Word(), stop=["a dog"], reset=True) == (None, stopped)
    before = rig.released
    assert rig.step(Word(), reset=True) == (None, "command is older than the reset")
    assert (before, rig.released) == (False, True)
    assert not rig.arbiter.stopped
    assert rig.step(Word(), reset=True) == (Word(), "")
    assert not rig.released, "there was nothing to release"


def test_the_gravest_cause_is_the_reason_and_an_empty_one_is_none() -> None:
    rig = Rig()
    rig.step(causes=["", ""])
    assert not rig.arbiter.stopped
    rig.step(stop=["a dog"], causes=["tilted", "", "low", ""])
    assert rig.arbiter.stopped.startswith("stopped: low;")
    rig.step(stop=[""], reset=True)
    assert rig.arbiter.stopped.startswith("stopped: stop;"), "a stop without a reason is one"


def test_a_stop_outranks_an_obstacle_and_an_obstacle_every_command() -> None:
    rig = Rig()
    assert rig.step(obstacle="no fresh state") == (None, "no fresh state")
    assert rig.step(Word(wrong="no"), obstacle="no fresh state") == (None, "no fresh state")
    assert rig.step(Word(), stop=["a dog"], obstacle="no fresh state")[1].startswith("stopped: a dog")


def test_its_reports_name_the_state_the_source_clips_and_refusals() -> None:
    rig = Rig()
    rig.step(Word())
    arbiter = rig.arbiter
    assert arbiter.report_following(("speed",)) == report("following", "command", ("speed",))
    assert arbiter.report_following((), "outside") == report("holding", "command", (), ("outside",))
    assert arbiter.report_holding("no fresh state") == report("holding", refusals=("no fresh state",))
    assert arbiter.report_holding("") == report("holding")
    rig.step(Word(), stop=["a dog"])
    assert arbiter.report_holding("stopped") == report("stopped", refusals=("stopped",))
