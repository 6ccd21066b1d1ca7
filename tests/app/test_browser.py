"""The dashboard in a real Chromium: living values, charts, losses, the stop, its own origin."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from dynamic.app.api.application import create_app
from dynamic.app.api.settings import Role
from dynamic.app.dashboard.screen import CHART_SCRIPT, VENDOR
from dynamic.policy.situation import SwitchState
from tests.app.conftest import TOKENS, settings
from tests.app.sample_service import SampleService

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGES = (
    "/", "/ui/decisions", "/ui/decisions/dec-0060", "/ui/approvals", "/ui/ledger", "/ui/limits",
    "/ui/audit", "/ui/stop", "/ui/sign-in",
)  # fmt: skip
CHARTS = ("prices", "mvrv", "funding", "fear_greed")


class Stand:
    """A server in this process, in a thread of its own; `service` is the test's to turn."""

    def __init__(self) -> None:
        self.service = SampleService(60)
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        config = uvicorn.Config(
            create_app(self.service, settings()), log_level="critical", lifespan="off"
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, args=([self.socket],), daemon=True)

    def __enter__(self) -> Stand:
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(10)
        self.socket.close()


@dataclass
class Watched:
    """A page and everything it asked for or complained about."""

    page: Page
    url: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console",
            lambda message: (
                self.complaints.append(message.text)
                if message.type in ("error", "warning")
                else None
            ),
        )

    def go(self, path: str) -> Page:
        self.page.goto(f"{self.url}{path}")
        return self.page


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def chromium(playwright: Playwright, chromium_path: Path) -> Iterator[Browser]:
    browser = playwright.chromium.launch(
        executable_path=str(chromium_path),
        args=["--no-sandbox", "--disable-background-networking", "--disable-component-update"],
    )
    yield browser
    browser.close()


@pytest.fixture
def stand() -> Iterator[Stand]:
    with Stand() as running:
        yield running


@pytest.fixture
def watched(chromium: Browser, stand: Stand) -> Iterator[Watched]:
    context = chromium.new_context(viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(20_000)
    seen = Watched(context.new_page(), stand.url)
    yield seen
    context.close()
    assert [each for each in seen.requests if not each.startswith(f"{stand.url}/")] == []
    assert seen.complaints == []


def sign_in(watched: Watched, role: Role) -> None:
    page = watched.go("/ui/sign-in")
    page.fill("[name=token]", TOKENS[role][1])
    page.click("main button[type=submit]")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


@pytest.mark.req("DB-01")
def test_value_changes_within_five_seconds(watched: Watched, stand: Stand) -> None:
    page = watched.go("/")
    value = page.locator('[data-value="nav"]')
    expect(value).to_have_text("$431,882")
    stand.service.nav = 412_003.99
    expect(value).to_have_text("$412,003", timeout=5_000)


@pytest.mark.req("DB-02")
def test_allocation_equals_the_api(watched: Watched) -> None:
    page = watched.go("/")
    body = page.request.get(f"{watched.url}/portfolio/status").json()
    assert [each["bucket"] for each in body["buckets"]] == ["base_yield", "btc", "eth", "cash"]
    for bucket in body["buckets"]:
        row = page.locator(f'tr[data-bucket="{bucket["bucket"]}"]')
        shown = {
            name: row.locator(f'[data-value="{name}"]').inner_text()
            for name in ("value", "weight", "target", "drift")
        }
        assert shown["value"] == f"${int(bucket['value_usd']):,}"
        assert shown["weight"] == f"{bucket['weight_bps'] / 100:.2f} %"
        assert shown["target"] == f"{bucket['target_bps'] / 100:.2f} %"
        drift = body["allocations"]["drift"][bucket["bucket"]] * 100
        assert shown["drift"] == f"{drift:+.2f} pp".replace("-", "−")


@pytest.mark.req("DB-03", "DB-05")
@pytest.mark.parametrize("scripted", [True, False])
def test_market_charts_with_thresholds(chromium: Browser, stand: Stand, scripted: bool) -> None:
    """Drawn by the library where it was built, by the server where it wasn't or scripts are off."""
    with chromium.new_context(java_script_enabled=scripted) as context:
        page = context.new_page()
        page.goto(stand.url)
        if scripted and (VENDOR / CHART_SCRIPT).exists():
            for name in (*CHARTS, "nav", "drawdown"):
                box = page.locator(f'[data-chart="{name}"].mounted')
                expect(box.locator("canvas").first).to_be_visible()
            mvrv = page.locator('[data-chart="mvrv"]')
            assert mvrv.get_attribute("data-thresholds") == "0 3 3.5 5 7 9"
        elif not scripted:
            for name in (*CHARTS, "nav", "drawdown"):
                expect(page.locator(f'[data-chart="{name}"] svg.plot')).to_be_visible()
            lines = page.locator('[data-chart="nav"] polyline')
            assert lines.count() == 4  # the treasury and three benchmarks
        for name in CHARTS:
            count = page.locator(f'[data-chart="{name}"]').get_attribute("data-points")
            assert int(count or 0) >= 2
        drawn = page.locator('[data-chart="mvrv"] line.threshold')
        found = drawn.evaluate_all("lines => lines.map(line => Number(line.dataset.value))")
        assert found == [0, 3, 3.5, 5, 7, 9]


@pytest.mark.req("DB-03", "DB-13")
def test_charts_live_without_the_library(
    chromium: Browser, stand: Stand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clone whose assets were never built: the server's drawing stays, and follows the data."""
    monkeypatch.setattr("dynamic.app.dashboard.screen.VENDOR", tmp_path)
    with chromium.new_context() as context:
        watched = Watched(context.new_page(), stand.url)
        page = watched.go("/")
        line = page.locator('[data-chart="nav"] polyline').last
        before = line.get_attribute("points")
        stand.service.loses = True
        expect(line).not_to_have_attribute("points", before or "", timeout=5_000)
        assert page.locator(".mounted").count() == 0
        assert not any("vendor" in each for each in watched.requests)
        assert watched.complaints == []


@pytest.mark.req("DB-04")
def test_fifty_newest_decisions_newest_first(watched: Watched, stand: Stand) -> None:
    page = watched.go("/ui/decisions")
    shown = page.locator("li[data-decision]").evaluate_all(
        "items => items.map(item => item.dataset.decision)"
    )
    assert shown == [f"dec-{number:04d}" for number in range(60, 10, -1)]
    first = page.locator("li[data-decision]").first
    expect(first).to_contain_text("MVRV Z 5.50")
    expect(first).to_contain_text("pending approval")
    stand.service.add_decision(61)
    expect(page.locator("li[data-decision]").first).to_contain_text("dec-0061", timeout=5_000)


@pytest.mark.req("DB-05")
def test_a_loss_is_negative_in_sign_and_colour(watched: Watched, stand: Stand) -> None:
    page = watched.go("/")
    gain = page.locator('[data-value="return-30d"]')
    expect(gain).to_have_text("+4.12 %")
    green = gain.evaluate("each => getComputedStyle(each).color")
    stand.service.loses = True
    expect(gain).to_have_text("−8.73 %", timeout=5_000)
    red = gain.evaluate("each => getComputedStyle(each).color")
    assert red != green
    assert "loss" in (gain.get_attribute("class") or "")
    expect(page.locator('[data-value="drawdown"]')).to_have_text("−16.12 %")
    expect(page.locator('[data-value="gain"]')).to_contain_text("−$")


@pytest.mark.req("DB-11")
def test_a_breach_is_red_with_value_and_limit(watched: Watched, stand: Stand) -> None:
    stand.service.breach = True
    page = watched.go("/")
    for widget in ("allocation", "limits", "approvals"):
        expect(page.locator(f'[data-widget="{widget}"]').first).to_be_visible()
    meter = page.locator('li[data-rule="volatile-cap"]')
    expect(meter).to_have_class("breach")
    expect(meter).to_contain_text("42.31 %")
    expect(meter).to_contain_text("40.00 %")
    expect(page.locator('[data-widget="limits"]')).to_contain_text("Moved without approval, 24 h")
    row = watched.go("/ui/limits").locator('tr[data-rule="volatile-cap"]')
    expect(row).to_contain_text("breach")
    unknown = page.locator('tr[data-rule="tvl-floor"]')
    expect(unknown).to_contain_text("not observed")


@pytest.mark.req("DB-12", "GV-09")
@pytest.mark.parametrize("path", ["/", "/ui/ledger", "/ui/decisions/dec-0060"])
def test_the_emergency_stop(watched: Watched, stand: Stand, path: str) -> None:
    sign_in(watched, Role.OPERATOR)
    page = watched.go(path)
    page.get_by_role("link", name="Emergency stop").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Stop").click()  # nothing filled in: the form holds
    assert stand.service.switch().state is SwitchState.ACTIVE
    dialog.get_by_label("Reason").fill("prices look wrong")
    dialog.get_by_label("Yes, stop the treasury now.").check()
    dialog.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("alert")).to_contain_text("prices look wrong")
    assert stand.service.switch().state is SwitchState.HALTED
    assert stand.service.links[-1].kind == "switch"
    assert page.request.get(f"{watched.url}/switch").json()["state"] == "halted"


@pytest.mark.req("DB-12")
def test_the_emergency_stop_without_scripts_or_session(chromium: Browser, stand: Stand) -> None:
    with chromium.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(stand.url)
        page.click("#stop")
        page.fill("main [name=reason]", "drill")
        page.fill("main [name=token]", TOKENS[Role.OPERATOR][1])
        page.check("main [name=confirm]")
        page.click("main form[action='/ui/stop'] button[type=submit]")
        expect(page.get_by_role("alert")).to_contain_text("halted")
        assert stand.service.switch().state is SwitchState.HALTED


@pytest.mark.req("GV-01", "DB-11")
def test_approving_in_the_browser(watched: Watched, stand: Stand) -> None:
    sign_in(watched, Role.APPROVER)
    page = watched.go("/ui/approvals")
    card = page.locator('section[data-decision="dec-0060"]')
    for words in ("What leaves", "Worst case", "Limits that bind", "What is not known"):
        expect(card).to_contain_text(words)
    assert not card.locator("[name=read]").is_checked()
    card.get_by_label("Notes").fill("half a sentence")
    page.wait_for_timeout(1_500)  # two polls
    expect(card.get_by_label("Notes")).to_have_value("half a sentence")
    card.locator("[name=read]").check()
    card.get_by_role("button", name="Approve").click()
    expect(page.locator('[data-signature="ada"]')).to_contain_text("half a sentence")
    assert stand.service.pending() == []


@pytest.mark.req("DB-13", "DB-05")
@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("width", [1440, 390])
def test_every_page_fits_asks_nobody_else_and_stays_silent(
    chromium: Browser, stand: Stand, scheme: str, width: int
) -> None:
    with chromium.new_context(
        viewport={"width": width, "height": 844},
        color_scheme=scheme,  # type: ignore[arg-type]
    ) as context:
        watched = Watched(context.new_page(), stand.url)
        for path in PAGES:
            page = watched.go(path)
            page.wait_for_timeout(150)
            over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert over <= 0, f"{path} is {over} px too wide"
            expect(page.locator("#stop")).to_be_in_viewport()
            assert page.locator(".label-synthetic").is_visible()
            if width == 1440:
                check_reading(page, path)
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (background == "rgb(243, 246, 250)") == (scheme == "light")
        assert [each for each in watched.requests if not each.startswith(f"{stand.url}/")] == []
        assert watched.complaints == []


CONTRAST = """() => {
  const light = (c) => { const v = c.map((x) => { x /= 255; return x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4; }); return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
  const parse = (text) => { const v = (text.match(/[\\d.]+/g) || []).map(Number); return text.startsWith("color(srgb") ? [...v.slice(0, 3).map((x) => x * 255), v[3] ?? 1] : [v[0], v[1], v[2], v[3] ?? 1]; };
  const over = (top, under) => top.slice(0, 3).map((x, i) => x * top[3] + under[i] * (1 - top[3]));
  const behind = (node) => { if (!node) return [255, 255, 255]; const own = parse(getComputedStyle(node).backgroundColor); return own[3] === 1 ? own.slice(0, 3) : over(own, behind(node.parentElement)); };
  const poor = [];
  for (const node of document.querySelectorAll("body *")) {
    if (node.closest(".strip, svg, .chart, dialog") || !node.checkVisibility() || ![...node.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
    const back = behind(node), text = over(parse(getComputedStyle(node).color), back);
    const [a, b] = [light(text), light(back)].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) poor.push(`${node.tagName}.${node.className} ${((a + .05) / (b + .05)).toFixed(2)} ${node.textContent.trim().slice(0, 30)}`);
  }
  return poor;
}"""  # noqa: E501


def check_reading(page: Page, path: str) -> None:
    """Text has contrast, every control a name, the page one heading."""
    assert page.evaluate(CONTRAST) == [], path
    nameless = page.locator("button:visible, a:visible, input:visible").evaluate_all(
        "all => all.filter(each => !(each.innerText || each.ariaLabel || "
        "each.labels?.length)).map(each => each.outerHTML)"
    )
    assert nameless == [], path
    assert page.locator("h1").count() == 1


def test_the_theme_can_be_chosen_and_is_kept(watched: Watched) -> None:
    page = watched.go("/")
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Switch between dark and light").click()
    after = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert after != before
    page = watched.go("/ui/limits")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == after


def test_the_keyboard_reaches_everything(watched: Watched) -> None:
    page = watched.go("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.textContent.trim().slice(0, 14)"))
    assert reached >= {"Decisions", "Limits", "Emergency stop", "Review"}
    page.locator("#stop").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_a_lost_connection_is_said(watched: Watched) -> None:
    page = watched.go("/")
    page.route("**/ui/live/**", lambda route: route.fulfill(status=500))
    expect(page.locator("#live")).to_have_text("not connected: figures are old", timeout=5_000)
    page.unroute("**/ui/live/**")
    expect(page.locator("#live")).to_have_text("live", timeout=5_000)
    assert all("500" in each for each in watched.complaints)
    watched.complaints.clear()
