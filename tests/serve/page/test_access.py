"""The page for everybody: by keyboard, by ear, on narrow screens, in the dark; checked by axe-core."""

import re

import pytest
from page_stand_in import PAGE, problem

# The style has no other rules for a width, and in the dark other colours alone.
LOOKS = ((320, "light"), (390, None), (768, None), (1440, "light"), (1440, "dark"))


def empty(user, service):
    user.sees("macro recall")


def loaded(user, service):
    user.load("mel.png", "<img src=x onerror=alert(1)> has_a_long_name_that_does_not_break_by_itself.png")


def running(user, service):
    service.pending = 10_000
    user.load("mel.png", "a.png")
    user.predict()


def result(user, service):
    service.will("POST predict_bulk", problem(415, "The PNG file is broken.", file="image-3"))
    user.result("mel.png", "a.png", "bad.png")
    user.page.get_by_text("Model card").click()
    user.page.get_by_text("The numbers of the curves").click()


def dialog(user, service):
    user.result("mel.png", "a.png")
    user.open("mel.png").get_by_role("switch").check()
    user.sees("Grad-CAM for melanoma")


def error(user, service):
    service.will("POST predict_bulk", problem(500, "The task has failed. The worker ran out of memory."))
    user.load("mel.png", "a.png")
    user.predict()
    user.wait_for("error")


STATES = (empty, loaded, running, result, dialog, error)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_axe_finds_nothing_in_any_state_at_any_width(user, page, service, state):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    state(user, service)
    if state is not dialog:
        user.wait_for(state.__name__)
    for width, colours in LOOKS:
        page.set_viewport_size({"width": width, "height": 800})
        if colours:
            page.emulate_media(color_scheme=colours)
            found = axe.Axe().run(page)
            assert found.violations_count == 0, f"{width} px, {colours}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator(".notice:visible", has_text="Not for diagnosis.").first.is_visible()


def test_the_notice_stays_in_sight(user, page):
    page.set_viewport_size({"width": 320, "height": 480})
    user.load(*[f"{i}.png" for i in range(12)])
    page.mouse.wheel(0, 3000)
    page.wait_for_function("() => scrollY > 1000")
    top = page.locator("header .notice").bounding_box()["y"]
    assert 0 <= top < 100


@pytest.fixture
def tab(page):
    """Returns the function that tabs on to what fits a selector."""

    def tab(target):
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("(target) => document.activeElement.matches(target)", target):
                return
        raise AssertionError(f"Tab does not reach {target}")

    return tab


def test_models_marks_orders_and_details_go_by_keyboard(user, page, tab):
    press = page.keyboard.press
    user.load("mel.png", "edge.png", "a.png")
    tab("#model")
    press("ArrowDown")
    assert page.locator("#model").input_value() == "other"
    tab("summary")
    press("Enter")
    user.sees("Commonest wrong pairs:")
    press("Enter")
    tab("#predict")
    press("Enter")
    user.wait_for("result")
    assert user.focused == "Predict again"
    tab("#slider")
    for _ in range(60):
        press("ArrowRight")
    assert user.marks["edge.png"] == "● melanoma not flagged"
    tab("#served")
    press("Space")
    assert user.marks["edge.png"] == "▲ melanoma flagged"
    tab("#order")
    press("End")
    assert user.names[0] == "a.png"
    tab("#grid .open")
    press("Enter")
    page.get_by_role("dialog").wait_for()
    tab("#overlay")
    press("Space")
    user.sees("Grad-CAM for nevus")
    tab("#overlay-class")
    press("ArrowDown")
    user.sees("Grad-CAM for melanoma")
    tab("#next")
    press("Enter")
    assert page.locator("#detail-title").inner_text() == "edge.png"
    press("Escape")
    user.has_focus("edge.png")
    press("Tab")
    press("Enter")
    assert user.names == ["a.png", "mel.png"] and user.focused == "Remove mel.png"
    press("Shift+Tab")
    user.has_focus("mel.png")


def test_loading_saving_cancelling_and_starting_anew_go_by_keyboard(user, page, service, tab):
    press = page.keyboard.press
    with page.expect_file_chooser() as chooser:
        # Within the block: while the focus moves, the browser learns that it is to report the choice.
        tab("#load")
        press("Enter")
    assert chooser.value.is_multiple()
    user.result("mel.png", "a.png")
    tab("#download")
    with page.expect_download():
        press("Enter")
    service.pending = 1000
    press("Shift+Tab")
    press("Shift+Tab")
    press("Enter")
    user.wait_for("running")
    tab("#cancel")
    press("Enter")
    user.wait_for("loaded")
    assert user.focused == "Predict 2 images"
    tab("#reset")
    press("Enter")
    user.wait_for("empty")
    assert user.focused == "Load images"


def test_errors_and_tokens_go_by_keyboard(user, page, service, tab):
    press = page.keyboard.press
    service.token = "a-long-secret-token"
    user.load("mel.png", "a.png")
    page.locator("#predict").focus()
    press("Enter")
    page.get_by_role("dialog").wait_for()
    press("Escape")
    user.wait_for("error")
    tab("#retry")
    press("Enter")
    page.get_by_role("dialog").wait_for()
    page.keyboard.type(service.token)
    press("Enter")
    user.wait_for("result")
    assert user.focused == "Predict again"


def test_the_focus_is_seen(user, page):
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_what_happens_is_said(user, page, service):
    service.pending = 2
    user.load("mel.png", "a.png")
    assert page.get_by_role("log").inner_text().startswith("2 images loaded.")
    user.predict()
    assert page.locator("#live").inner_text() == "Predicting 2 images."
    user.wait_for("result")
    assert "2 images predicted." in page.get_by_role("log").inner_text()
    user.press("Remove a.png")
    assert page.locator("#live").inner_text() == "a.png removed."


@pytest.mark.parametrize(("motion", "moves"), [("reduce", False), ("no-preference", True)])
def test_nothing_moves_where_that_is_not_wanted(user, page, motion, moves):
    page.emulate_media(reduced_motion=motion)
    user.load("a.png")
    assert (
        page.locator(".toast").first.evaluate("(x) => getComputedStyle(x).animationName") != "none"
    ) == moves


def test_toasts_go_by_themselves_and_stay_under_the_focus(user, page):
    page.clock.install()
    user.load("a.png")
    user.load("b.png")
    page.locator(".toast button").first.focus()
    page.clock.run_for(12_000)
    assert page.locator(".toast").count() == 1
    page.keyboard.press("Enter")
    assert page.locator(".toast").count() == 0


def test_nothing_comes_from_elsewhere_and_nothing_is_inline():
    for path in PAGE.iterdir():
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|//[a-z]+\.[a-z]", text), path.name
        assert "innerHTML" not in text and "eval(" not in text
    html = (PAGE / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"\s(style|on[a-z]+)=|<style|<script(?![^>]*src=)", html)
