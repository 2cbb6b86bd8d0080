from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from embodied import Time
from embodied.guards.lease import Lease

RANKS = ("operator", "teleop", "command")
SILENCE = 500


def lease(*, held_by: str = "", at: int = 1000) -> Lease:
    made = Lease(RANKS, SILENCE)
    if held_by:
        made.grant({held_by: Time(at)}, resting=True, now=Time(at))
    return made


def test_whoever_commands_first_has_it_and_nobody_has_it_unasked() -> None:
    assert lease().grant({}, resting=True, now=Time(0)) == ""
    for name in RANKS:
        made = lease()
        assert made.grant({name: Time(0)}, resting=False, now=Time(0)) == name
        assert made.holder == name


def test_of_several_who_begin_at_once_the_highest_rank_has_it() -> None:
    everyone = {name: Time(0) for name in reversed(RANKS)}
    assert lease().grant(everyone, resting=True, now=Time(0)) == "operator"
    del everyone["operator"]
    assert lease().grant(everyone, resting=True, now=Time(0)) == "teleop"


def test_a_higher_rank_takes_it_at_once_and_in_motion() -> None:
    made = lease(held_by="command")
    assert made.grant({"command": Time(1001), "teleop": Time(1001)}, resting=False, now=Time(1001)) == "teleop"
    assert made.grant({"teleop": Time(1002), "operator": Time(1002)}, resting=False, now=Time(1002)) == "operator"


def test_a_lower_rank_waits_for_as_long_as_its_holder_speaks() -> None:
    made = lease(held_by="operator")
    for now in range(1001, 3000, 100):
        both = {"operator": Time(now), "command": Time(now)}
        assert made.grant(both, resting=True, now=Time(now)) == "operator"


def test_a_silent_holder_keeps_it_for_the_stated_time_to_the_nanosecond() -> None:
    made = lease(held_by="operator", at=1000)
    assert made.grant({"command": Time(1499)}, resting=True, now=Time(1499)) == "operator"
    assert made.grant({"command": Time(1500)}, resting=True, now=Time(1500)) == "command"


def test_silence_counts_from_the_last_command_and_not_from_when_it_was_last_seen() -> None:
    made = lease(held_by="operator", at=1000)
    assert made.grant({"operator": Time(1010)}, resting=True, now=Time(1300)) == "operator"
    assert made.grant({"command": Time(1509)}, resting=True, now=Time(1509)) == "operator"
    assert made.grant({"command": Time(1510)}, resting=True, now=Time(1510)) == "command"


def test_a_lease_taken_from_another_counts_from_its_own_command() -> None:
    made = lease(held_by="command", at=1000)
    made.grant({"operator": Time(1400)}, resting=False, now=Time(1400))
    assert made.grant({"command": Time(1899)}, resting=True, now=Time(1899)) == "operator"
    assert made.grant({"command": Time(1900)}, resting=True, now=Time(1900)) == "command"


def test_a_lower_rank_never_takes_over_a_motion() -> None:
    made = lease(held_by="operator", at=1000)
    assert made.grant({"command": Time(9000)}, resting=False, now=Time(9000)) == "operator"
    assert made.grant({"command": Time(9001)}, resting=True, now=Time(9001)) == "command"


def test_a_lease_that_ran_out_belongs_to_nobody_until_someone_commands() -> None:
    made = lease(held_by="operator", at=1000)
    assert made.grant({}, resting=True, now=Time(1500)) == ""
    assert made.grant({"command": Time(1501)}, resting=False, now=Time(1501)) == "command"


def test_a_holder_who_speaks_again_in_time_goes_on() -> None:
    made = lease(held_by="command", at=1000)
    assert made.grant({}, resting=True, now=Time(1400)) == "command"
    assert made.grant({"command": Time(1450)}, resting=True, now=Time(1450)) == "command"
    assert made.grant({}, resting=True, now=Time(1949)) == "command"


PERIODS = st.lists(
    st.tuples(st.sets(st.sampled_from(RANKS)), st.booleans(), st.integers(1, 400)), min_size=1, max_size=40
)


@given(PERIODS)
def test_a_lease_only_rises_in_rank_unless_its_holder_was_silent_and_the_arm_rested(
    periods: list[tuple[set[str], bool, int]],
) -> None:
    made = Lease(RANKS, SILENCE)
    now, spoke, before = 0, dict.fromkeys(RANKS, 0), ""
    for speaking, resting, step in periods:
        now += step
        for name in speaking:
            spoke[name] = now
        holder = made.grant({name: Time(now) for name in speaking}, resting=resting, now=Time(now))
        if speaking:
            # Whoever has it outranks everyone else who speaks, or has not been silent for long, or moves.
            assert holder
        if before and holder != before:
            fell = not holder or RANKS.index(holder) > RANKS.index(before)
            if fell:
                assert resting
                assert before not in speaking
                assert now - spoke[before] >= SILENCE
            else:
                assert holder in speaking
        elif holder and not before:
            assert holder == min(speaking, key=RANKS.index)
        before = holder


def test_its_holder_is_followed_by_what_is_newer_than_the_reset_and_else_it_says_why_not() -> None:
    made = Lease(RANKS, 1_500_000_000)
    assert made.refusal({}, Time(-1), "it rests") == "no fresh command"
    heard = {"teleop": Time(10), "command": Time(12)}
    made.grant(heard, resting=True, now=Time(12))
    assert made.refusal(heard, Time(9), "it rests") == ""
    assert made.refusal(heard, Time(10), "it rests") == "teleop is older than the reset"
    assert made.refusal({"command": Time(13)}, Time(9), "it rests") == (
        "teleop has the lease; command waits until it was silent for 1.5 s and it rests"
    )
