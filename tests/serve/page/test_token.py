"""The token: asked for once, kept in memory, sent with every request."""

import pytest

TOKEN = "a-long-secret-token"


@pytest.fixture
def locked(user, page, service):
    """The page of a service that wants a token; the dialog is open."""
    service.token = TOKEN
    page.reload()
    page.get_by_role("dialog").wait_for()
    return user


def give(user, token):
    user.page.get_by_label("Token", exact=True).fill(token)
    user.press("Use it")


def test_it_is_asked_for_once_and_sent_with_everything(locked, page, service):
    give(locked, TOKEN)
    locked.result("mel.png", "a.png")
    locked.open("mel.png").get_by_role("switch").check()
    locked.sees("Grad-CAM for melanoma")
    asked = [kind for kind, *_, token in service.asked if token == f"Bearer {TOKEN}"]
    assert {"GET models", "POST predict_bulk", "GET from_task", "GET explanation"} <= set(asked)


def test_a_wrong_one_is_asked_for_again(locked):
    give(locked, "guess")
    locked.sees("It did not accept that token. Try another.")
    give(locked, TOKEN)
    locked.sees("macro recall")


def test_it_is_stored_nowhere(locked, page):
    give(locked, TOKEN)
    locked.sees("macro recall")
    stored = page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie, location.href])")
    assert TOKEN not in stored and TOKEN not in page.content()
    assert page.context.cookies() == [] and page.locator("#token-value").input_value() == ""
    page.reload()
    page.get_by_role("dialog").wait_for()


def test_without_it_the_page_says_so_and_asks_again(locked, page):
    page.keyboard.press("Escape")
    locked.wait_for("error")
    assert "asks for a token, and none was given" in page.get_by_role("alert").inner_text()
    locked.press("Try again")
    give(locked, TOKEN)
    locked.sees("macro recall")


def test_one_that_ends_in_the_middle_is_asked_for_again(locked, page, service):
    give(locked, TOKEN)
    locked.sees("macro recall")
    locked.load("mel.png", "a.png")
    service.token = "another-long-secret"
    locked.predict()
    give(locked, service.token)
    locked.wait_for("result")


def test_signs_that_no_header_holds_are_not_taken(locked, page):
    give(locked, "ключ")
    assert page.get_by_role("dialog").is_visible()
    give(locked, TOKEN)
    locked.sees("macro recall")
