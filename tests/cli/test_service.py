"""The service and the demo as processes: alive soon, honest, stopped cleanly."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from dynamic.app.cli.output import Exit
from tests.cli.conftest import Cli, environment


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Running:
    """A process of ours, and what it says."""

    def __init__(self, process: subprocess.Popen[str], port: int, said: Path) -> None:
        self.process, self.port, self._said = process, port, said
        self.url = f"http://127.0.0.1:{port}"

    def get(self, path: str) -> httpx2.Response:
        return httpx2.get(self.url + path, timeout=20)

    def until(self, what: str, holds: Any, seconds: float = 60.0) -> Any:
        give_up_at = time.monotonic() + seconds
        while time.monotonic() < give_up_at:
            assert self.process.poll() is None, self.said
            try:
                found = holds()
            except (httpx2.TransportError, KeyError, ValueError):
                found = None
            if found:
                return found
            time.sleep(0.1)
        pytest.fail(f"expected {what} within {seconds} s; it said:\n{self.said}")

    @property
    def said(self) -> str:
        return self._said.read_text()

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, float]:
        begun = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(timeout=30)
        return code, time.monotonic() - begun


@contextmanager
def running(tmp_path: Path, *arguments: object, **env: str) -> Iterator[Running]:
    port, said = free_port(), tmp_path / f"said-{time.monotonic_ns()}.txt"
    with said.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "dynamic", *map(str, arguments), "--port", str(port)],
            cwd=tmp_path, env=environment(**env), stdout=out, stderr=out, text=True,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield Running(process, port, said)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def demo_says(found: Running, name: str) -> str:
    return re.search(rf"{name}\s+(\S+)", found.said)[1]  # type: ignore[index]


@pytest.mark.req("OP-12")
@pytest.mark.slow
def test_op_sigterm_ends_a_demo_that_lives(cli: Cli, tmp_path: Path) -> None:
    """Alive, labelled synthetic, signed by a visitor, stopped in ten seconds, chain valid."""
    home = tmp_path / "home"
    begun = time.monotonic()
    with running(
        tmp_path, "demo", "--no-open", "--seed", 7, "--speed", 200, "--approve", "me",
        "--data-dir", home,
    ) as demo:  # fmt: skip
        demo.until("a mark", lambda: demo.get("/portfolio/status").status_code == 200)
        alive_s = time.monotonic() - begun
        assert alive_s < 60
        health = demo.get("/health").json()
        assert health["is_synthetic"] is True
        assert health["mode_label"].startswith("paper · synthetic sample (seed 7) · 20")
        page = demo.get("/").text
        assert "ynthetic" in page
        assert "$" in page

        waits = demo.until("a plan that waits", lambda: demo.get("/decisions/pending").json())[0]
        stands_at = demo.get("/health").json()["at"]
        token = demo_says(demo, "token of visitor-approver")
        decided = httpx2.post(
            f"{demo.url}/decisions/{waits['decision_id']}/approve",
            json={"approved": True, "notes": "seen", "digest": waits["plan"]["digest"]},
            headers={"Authorization": f"Bearer {token}"}, timeout=30,
        )  # fmt: skip
        assert decided.status_code == 200, decided.text
        demo.until("the market to go on", lambda: demo.get("/health").json()["at"] > stands_at)
        signed = demo.get(f"/decisions/{waits['decision_id']}").json()["plan"]["signatures"]
        names = [s["operator"] for s in signed]
        assert names[0] == "visitor-approver"
        assert all("(simulated)" in name for name in names[1:])

        code, took_s = demo.stop()
    assert (code, took_s < 10) == (0, True)
    assert cli("audit", "verify", "--data-dir", home).code == Exit.OK
    assert cli("reconcile", "--data-dir", home).code == Exit.OK
    # A directory that has lived through a demo is no live treasury, and no other market's either.
    assert "lived through a demo" in cli("cycle", "--data-dir", home).line
    other = cli("demo", "--seed", 8, "--no-open", "--port", 0, "--data-dir", home)
    assert other.code == Exit.USAGE
    assert "expected a new data directory or the market" in other.err


@pytest.mark.slow
def test_ctrl_c_ends_a_demo_in_two_seconds_and_it_goes_on_later(tmp_path: Path) -> None:
    home, seen = tmp_path / "home", []
    for _ in range(2):
        with running(
            tmp_path, "demo", "--no-open", "--seed", 7, "--speed", 10, "--data-dir", home
        ) as demo:
            day = demo.until("the market to play", lambda: demo.get("/health").json()["at"])
            seen.append(day)
            demo.until("a later day", lambda d=day: demo.get("/health").json()["at"] > d)
            for _ in range(50):  # a terminal and `uv run` both pass it on, at once
                demo.process.send_signal(signal.SIGINT)
            code, took_s = demo.stop(signal.SIGINT)
            assert code == 0
            assert took_s < 2 * 3  # two seconds alone; the machine of the tests is shared
            assert "the demo has ended" in demo.said
    assert seen[1] > seen[0]


def token_of(role: str) -> tuple[str, str]:
    token = f"canary-token-of-{role}-0123456789abcdef"
    return token, f"{role}:{hashlib.sha256(token.encode()).hexdigest()}"


@pytest.mark.req("OP-12", "OP-13", "AP-11", "LG-09", "SE-01")
@pytest.mark.slow
def test_lg_redaction_of_a_running_service(
    cli: Cli, market: dict[str, str], tmp_path: Path
) -> None:
    """A service with secrets all around it: it works, restarts, and none is ever written."""
    home = tmp_path / "home"
    tokens = {role: token_of(role) for role in ("operator", "approver")}
    config = tmp_path / "dynamic.toml"
    config.write_text(
        f"data_dir = '{home}'\n[api.tokens]\n"
        + "".join(f"{role[:3]} = '{credential}'\n" for role, (_, credential) in tokens.items())
    )
    env = market | {"DYNAMIC__LOG_LEVEL": "debug", "DYNAMIC__TOKEN": tokens["approver"][0]}
    texts = []
    with running(tmp_path, "run", **env) as service:
        service.until("a mark", lambda: service.get("/portfolio/status").status_code == 200)
        assert "the switch is HALTED, nothing is traded" in service.said
        assert service.get("/health").json()["mode_label"] == "paper · live"
        port = {"DYNAMIC__API__PORT": str(service.port)}
        env |= port
        page = cli("status", "--json", env=env).answer
        assert page["service"] in {"healthy", "degraded"}
        assert page["mode_label"] == "paper · live"
        assert {job["name"] for job in page["jobs"]} == {"cycle", "weekly-review", "daily-state"}
        assert cli("reconcile", env=env).code == Exit.OK
        second = cli("run", env=env)
        assert (second.code, "to be free" in second.line) == (Exit.ERROR, True)

        raised = cli("resume", "--by", "ann", "--by", "bob", "--reason", "start", env=env)
        assert (raised.code, "audit chain has not" in raised.err) == (Exit.OK, True)
        denied = cli("cycle", env=env)  # an approver may not propose
        assert denied.code == Exit.DENIED
        (tmp_path / "token").write_text(tokens["operator"][0] + "\n")
        asked = cli("cycle", "--token-file", "token", env=env)
        assert asked.code == Exit.APPROVAL_NEEDED, asked.err
        decision = cli("plan", "--json", env=env).answer["decision_id"]
        first = cli("approve", decision, "--json", env=env)
        assert first.code == Exit.APPROVAL_NEEDED, first.err
        again = cli("approve", decision, env=env)
        assert again.code == Exit.DENIED
        halted = cli("halt", "--by", "ann", "--reason", "enough", env=env)
        assert halted.code == Exit.OK
        assert service.get("/switch").json()["state"] == "halted"
        texts += [asked.err, first.out, again.err, cli("show-config", env=env).err]
        texts.append(cli("show-config", "--json", env=env).out)
        service.until("the state file", lambda: (home / "state.json").exists())
        before = cli("status", "--json", env=env).answer
        code, took_s = service.stop()
        assert (code, took_s < 10) == (0, True)
        texts.append(service.said)

    stored = json.loads((home / "state.json").read_text())
    assert stored["mandate_digest"] == before["mandate_digest"]
    with running(tmp_path, "run", **env) as service:
        service.until("health", lambda: service.get("/health").status_code == 200)
        after = cli("status", "--json", env=env).answer
        # The hour is not over: the restart continues, and decides nothing twice.
        assert after["last_decision"] == before["last_decision"]
        assert after["pending"] == before["pending"]
        service.stop()
        texts.append(service.said)
    verified = cli("audit", "verify", "--json", env=env).answer
    assert verified["valid"] is True
    assert verified["anchor"] is not None

    texts += [p.read_text(errors="replace") for p in home.iterdir() if p.suffix != ".db"]
    secrets = [token for token, _ in tokens.values()]
    for text in texts:
        for secret in secrets:
            assert secret not in text
        for _, credential in tokens.values():
            assert credential.partition(":")[2] not in text


@pytest.mark.slow
def test_a_service_without_a_market_stays_and_says_so(tmp_path: Path) -> None:
    with running(tmp_path, "run", "--data-dir", tmp_path / "home") as service:
        service.until("health", lambda: service.get("/health").json()["status"])
        service.until("the failed cycle", lambda: "job-cycle" in service.said)
        assert service.get("/portfolio/status").status_code == 500
        assert service.process.poll() is None
        assert service.stop()[0] == 0


def test_a_killed_service_leaves_no_lock(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for _ in range(2):
        with running(tmp_path, "run", "--data-dir", home) as service:
            service.until("health", lambda: service.get("/health").json()["status"])
            os.kill(service.process.pid, signal.SIGKILL)
            assert service.process.wait() == -signal.SIGKILL


@pytest.mark.slow
def test_a_demo_plays_live_history_and_lives_on(market: dict[str, str], tmp_path: Path) -> None:
    """Public sources answer: their past is played under its name, and then their present."""
    from_day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 8 * 86_400))
    with running(
        tmp_path, "demo", "--no-open", "--speed", 50, "--from", from_day, "--data-dir", "home",
        **market,
    ) as demo:  # fmt: skip
        demo.until("a mark", lambda: demo.get("/portfolio/status").status_code == 200)
        assert demo.get("/health").json()["is_synthetic"] is False
        readings = demo.get("/exports/readings.csv").text
        assert "fallback" in readings or demo.get("/health").json()["mode_label"] == "paper · live"
        demo.until(
            "the present", lambda: demo.get("/health").json()["mode_label"] == "paper · live"
        )
        assert demo.stop()[0] == 0


@pytest.mark.slow
def test_a_demo_without_a_network_says_synthetic(tmp_path: Path) -> None:
    with running(tmp_path, "demo", "--no-open", "--speed", 1, "--data-dir", "home") as demo:
        demo.until("health", lambda: demo.get("/health").json()["is_synthetic"])
        assert "cannot be reached; playing a synthetic sample instead" in demo.said
        assert "SYNTHETIC" in demo.said
        assert demo.stop()[0] == 0
