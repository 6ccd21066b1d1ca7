"""The switch's file: HALTED in doubt, whole after a crash, and lowered even on a full disk."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from dynamic.adapters.switch_file import SwitchFile
from dynamic.errors import Refused, StoreUnavailable
from dynamic.policy.situation import SwitchState

A, R, H = SwitchState.ACTIVE, SwitchState.REDUCING, SwitchState.HALTED


@pytest.fixture
def switch(tmp_path: Path) -> SwitchFile:
    return SwitchFile(tmp_path / "run" / "switch.json")


def test_it_starts_halted_and_people_raise_it(switch: SwitchFile, tmp_path: Path) -> None:
    assert switch.state() is H
    switch.raise_to(A, ("ann", "ben"), "books agree", 10)
    assert switch.state() is A
    assert SwitchFile(tmp_path / "run" / "switch.json").state() is A
    switch.lower(R, "watchdog", "crash of BTC", 20)
    assert switch.state() is R
    with pytest.raises(Refused):
        switch.lower(A, "watchdog", "all is well", 30)
    with pytest.raises(Refused):
        switch.raise_to(A, ("claude",), "all is well", 30)
    assert switch.state() is R
    assert [(e.before, e.after, e.actors, e.rationale, e.at_s) for e in switch.log()] == [
        (H, A, ("ann", "ben"), "books agree", 10), (A, R, ("watchdog",), "crash of BTC", 20),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "content", ["", "{", "null", "[]", '"active"', '{"state": "ACTIVE"}', '{"state": 1}', "\x00",
                '{"state": "activ', '{"other": "active"}'],
)  # fmt: skip
def test_whatever_cannot_be_read_is_halted(
    switch: SwitchFile, tmp_path: Path, content: str
) -> None:
    switch.raise_to(A, ("ann", "ben"), "go", 1)
    (tmp_path / "run" / "switch.json").write_text(content)
    assert switch.state() is H


def test_undecodable_bytes_and_a_directory_are_halted(switch: SwitchFile, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "switch.json").write_bytes(b"\xff\xfe")
    assert switch.state() is H
    assert SwitchFile(tmp_path).state() is H


def test_every_torn_write_reads_as_a_state_or_halted(switch: SwitchFile, tmp_path: Path) -> None:
    switch.raise_to(A, ("ann", "ben"), "go", 1)
    path = tmp_path / "run" / "switch.json"
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        expected = A if length >= len(whole.rstrip(b"\n")) else H
        assert switch.state() is expected


def test_a_torn_log_line_is_left_out_and_does_not_eat_the_next(
    switch: SwitchFile, tmp_path: Path
) -> None:
    switch.raise_to(A, ("ann", "ben"), "go", 1)
    log = tmp_path / "run" / "switch.json.log"
    with log.open("a") as file:
        file.write('{"at_s": 2, "bef')
    switch.lower(H, "ann", "stop", 3)
    assert [e.after for e in switch.log()] == [A, H]
    assert json.loads(log.read_text().splitlines()[-1])["rationale"] == "stop"


def test_a_disk_that_refuses_halts_instead_of_staying_active(
    switch: SwitchFile, tmp_path: Path
) -> None:
    switch.raise_to(A, ("ann", "ben"), "go", 1)
    log = tmp_path / "run" / "switch.json.log"
    log.unlink()
    log.mkdir()  # nothing can be appended any more
    with pytest.raises(StoreUnavailable, match="HALTED"):
        switch.lower(R, "watchdog", "crash", 2)
    assert switch.state() is H
    with pytest.raises(StoreUnavailable):
        switch.raise_to(A, ("ann", "ben"), "go", 3)
    assert switch.state() is H


def test_many_hands_lowering_at_once_end_at_the_lowest(switch: SwitchFile) -> None:
    switch.raise_to(A, ("ann", "ben"), "go", 1)

    def pull(to: SwitchState) -> None:
        with suppress(Refused):  # somebody else had already pulled it further down
            switch.lower(to, "watchdog", "crash", 2)

    hands = [threading.Thread(target=pull, args=(to,)) for to in (R, H, R, H, R, R, H, R)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert switch.state() is H
