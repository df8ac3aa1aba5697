"""The dialog of one image, and the card of the model."""

import re

import pytest
from page_stand_in import Reply, card, problem


def rows(table):
    """The rows of a table by their first cell."""
    cells = [row.locator("th, td").all_inner_texts() for row in table.locator("tbody tr").all()]
    return {first: rest[0] if len(rest) == 1 else rest for first, *rest in cells}


def test_the_dialog_shows_image_verdict_metadata_and_probabilities(user):
    user.result("mel.png", "a.png")
    dialog = user.open("mel.png")
    assert dialog.get_by_role("heading").inner_text() == "mel.png"
    user.sees_image("mel.png")
    text = dialog.inner_text()
    assert "▲ melanoma flagged: melanoma score 90.0\u00a0%; most likely melanoma (90.0\u00a0%)" in text
    assert "Not for diagnosis." in text
    probabilities, metadata = (rows(table) for table in dialog.locator("table").all())
    assert probabilities["melanoma (mel)"] == "90.0\u00a0%" and probabilities["nevus (nv)"] == "6.0\u00a0%"
    assert metadata["origin"] == "synthetic" and metadata["net type"] == "small_cnn"
    assert metadata["model"] == "demo" and metadata["target"] == "true" and metadata["label"] == "1"
    assert metadata["temperature"] == "1.298" and metadata["img size"] == "64"


def test_the_radar_draws_the_numbers_of_the_table(user, page):
    user.result("mel.png")
    radar = user.open("mel.png").locator("svg.radar")
    assert [text.evaluate("(x) => x.lastChild.data") for text in radar.locator("text:has(title)").all()] == [
        "nv",
        "mel",
        "bkl",
        "bcc",
        "akiec",
        "vasc",
        "df",
    ]
    points = radar.locator(".area").get_attribute("points").split()
    lengths = [sum(float(value) ** 2 for value in point.split(",")) ** 0.5 for point in points]
    assert lengths == pytest.approx([6.0, 90.0, *[0.8] * 5], abs=0.02)
    # The first class points up, the others follow clockwise.
    assert [float(value) for value in points[0].split(",")] == pytest.approx([0, -6])
    assert float(points[1].split(",")[0]) > 0


def test_the_overlay_is_switched_on_and_off_and_asked_for_once(user, service):
    user.result("mel.png", "a.png")
    service.will("GET explanation", Reply(202, "{}", {"Retry-After": "0"}))
    dialog = user.open("mel.png")
    dialog.get_by_role("switch").check()
    user.sees_image("overlay")
    user.sees("Grad-CAM for melanoma: the warmer, the more it counted.")
    dialog.get_by_role("switch").uncheck()
    user.sees_image("mel.png")
    dialog.get_by_role("switch").check()
    user.sees_image("overlay")
    assert service.count("GET explanation") == 2
    paths = {
        (path.split("/")[-2], query["label"][0])
        for kind, path, query, *_ in service.asked
        if "explan" in kind
    }
    assert paths == {("0", "mel")}


def test_the_overlay_is_made_for_another_class_and_the_next_image(user, page, service):
    user.result("mel.png", "a.png")
    dialog = user.open("mel.png")
    dialog.get_by_role("switch").check()
    user.sees("Grad-CAM for melanoma")
    dialog.get_by_label("Class").select_option("basal cell carcinoma")
    user.sees("Grad-CAM for basal cell carcinoma")
    user.press("Next image")
    user.sees("Grad-CAM for nevus")
    asked = [
        (path.split("/")[-2], query["label"][0])
        for kind, path, query, *_ in service.asked
        if "explan" in kind
    ]
    assert asked == [("0", "mel"), ("0", "bcc"), ("1", "nv")]


def test_an_overlay_that_comes_late_does_not_replace_the_image(user, page, service):
    user.result("mel.png")
    service.will("GET explanation", Reply(202, "{}", {"Retry-After": "1"}))
    dialog = user.open("mel.png")
    dialog.get_by_role("switch").click()
    user.sees("The overlay is being made.")
    dialog.get_by_role("switch").click()
    page.wait_for_timeout(700)
    user.sees("The image as it was loaded.")
    user.sees_image("mel.png")


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (
            problem(410, "The task is expired; its images and results are deleted."),
            "Predict again to get a new one.",
        ),
        (
            problem(500, "The task has failed. Out of memory."),
            "No overlay: The task has failed. Out of memory.",
        ),
        (problem(422, "Labels are nv, mel."), "No overlay: Labels are nv, mel."),
        (Reply(None), "No overlay: The service does not answer."),
    ],
    ids=["expired", "failed", "refused", "silent"],
)
def test_an_overlay_that_does_not_come_leaves_the_image(user, service, reply, text):
    user.result("mel.png")
    dialog = user.open("mel.png")
    service.will("GET explanation", reply)
    dialog.get_by_role("switch").click()
    user.sees(text)
    user.sees_image("mel.png")
    assert not dialog.get_by_role("switch").is_checked()
    dialog.get_by_role("switch").click()
    user.sees("Grad-CAM for melanoma")


def test_the_dialog_gives_the_focus_back_to_the_image_that_was_seen_last(user, page):
    user.result("mel.png", "a.png")
    dialog = user.open("mel.png")
    page.keyboard.press("Escape")
    user.has_focus("mel.png")
    user.open("mel.png")
    user.press("Previous image")
    assert dialog.get_by_role("heading").inner_text() == "a.png"
    dialog.get_by_role("button", name="Close", exact=True).click()
    user.has_focus("a.png")


def test_the_dialog_of_an_image_that_was_not_predicted(user, page):
    user.load("a.png")
    dialog = user.open("a.png")
    assert "Not predicted yet." in dialog.inner_text()
    assert not dialog.get_by_role("switch").is_visible() and not page.locator("#next").is_visible()


def test_the_line_of_the_model_says_data_recall_and_leakage(user, page, service):
    user.sees("Trained on drawn images; macro recall 0.612 (0.534 to 0.688) on 120 others.")
    user.sees("No leakage found. Shared patients: UNKNOWN.")
    leaky = "LEAKY: 38.6 % of evaluation images show a lesion that is also in training"
    service.cards["other"] = card("other", stamp=leaky, leakage_line=leaky)
    page.get_by_label("Name").select_option("other")
    user.sees("LEAKY: 38.6 %")


def test_the_card_shows_scores_mistakes_leakage_and_training(user, page):
    assert "deletes them after 90 minutes or when you reset" in page.locator("#load-hint").inner_text()
    page.get_by_text("Model card").click()
    text = page.locator("#card").inner_text()
    assert "Research and teaching only. Not for clinical use. Trained on drawn images" in text
    about, scores, confusion, leakage = (rows(page.locator("#card table").nth(i)) for i in range(4))
    assert about["recipe"] == "skinkit/demo/synthetic" and about["threshold"] == "0.250"
    assert about["temperature"] == "1.298"
    assert scores["accuracy"] == "0.612 (0.534 to 0.688)"
    assert confusion["nv"] == ["40", "1", "2", "0", "1", "2", "0"]
    assert leakage == {"photograph": "0.0\u00a0%", "lesion": "0.0\u00a0%", "patient": "UNKNOWN"}
    assert "melanoma: 9 of 20 (45.0\u00a0%)" in text and "melanoma taken for nevus: 7" in text
    charts = page.locator("#card svg").all()
    assert [chart.get_attribute("aria-label") for chart in charts] == [
        "Loss by epoch, as in the table below",
        "Macro recall by epoch, as in the table below",
    ]
    assert len(charts[0].locator(".line").all()) == 2
    assert re.search(r"validation dashed$", page.locator("#card figcaption").last.inner_text())


def test_a_card_that_does_not_come_can_be_asked_for_again(user, page, service):
    user.sees("macro recall")
    service.will("GET models", problem(500, "The server failed. Its log says why."))
    page.get_by_label("Name").select_option("other")
    user.sees("Its card did not come: The server failed.")
    user.press("Ask for the card again")
    user.sees("macro recall 0.612")
