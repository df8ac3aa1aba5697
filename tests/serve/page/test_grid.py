"""Images on the page: loaded, removed, marked, sorted, saved."""

import csv
import io

import pytest

FLAGGED, CLEAR = "▲ melanoma flagged", "● melanoma not flagged"


def drop_or_paste(page, kind, name, content, times=1):
    """Sends the event of a drop or a paste with one file, as a browser does, at once several times."""
    script = """([kind, name, bytes, times]) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], name, {type: "image/png"}));
        const given = {bubbles: true, cancelable: true};
        for (let time = 0; time < times; time += 1) document.body.dispatchEvent(kind === "drop"
            ? new DragEvent("drop", {...given, dataTransfer: data})
            : new ClipboardEvent("paste", {...given, clipboardData: data}));
    }"""
    page.evaluate(script, [kind, name, list(content), times])


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_images_are_dropped_and_pasted(user, page, draw, kind):
    drop_or_paste(page, kind, "a.png", draw("a.png"))
    user.sees("1 image loaded.")
    assert user.names == ["a.png"]
    assert page.locator("body").get_attribute("data-state") == "loaded"


def test_the_button_opens_the_choice_of_files(user, page):
    with page.expect_file_chooser() as chooser:
        user.press("Load images")
    assert chooser.value.is_multiple()


def test_what_is_loaded_last_stands_first(user):
    user.load("b.png", "a.png")
    user.load("c.png")
    assert user.names == ["c.png", "b.png", "a.png"]


def test_the_same_content_is_named_and_skipped_whatever_its_name(user, draw):
    user.load("a.png")
    user.load(("copy.png", draw("a.png")), "b.png", ("b again.png", draw("b.png")))
    user.sees("copy.png has the same content as a.png; b again.png has the same content as b.png")
    assert user.names == ["b.png", "a.png"]


def test_the_same_content_in_two_loads_at_once_is_skipped(user, page, draw):
    drop_or_paste(page, "drop", "a.png", draw("a.png"), times=2)
    user.sees("Skipped: a.png has the same content as a.png.")
    assert user.names == ["a.png"]


def test_equal_names_of_different_content_are_told_apart(user, draw):
    user.load("a.png")
    user.load(("a.png", draw("b.png")), ("a.png", draw("c.png")))
    assert user.names == ["a (2).png", "a (3).png", "a.png"]


def test_what_is_no_image_is_named_and_skipped(user, draw):
    dicom = bytes(128) + b"DICM"
    user.load(("scan.dcm", dicom), ("empty.png", b""), ("photo.jpg", draw("a", kind="JPEG")))
    user.sees("scan.dcm is not a JPEG, PNG or WebP image (export it as one); empty.png is empty.")
    assert user.names == ["photo.jpg"]


def test_removing_moves_the_focus_to_the_next_image_and_at_last_to_loading(user, page):
    user.load("a.png", "b.png", "c.png")
    user.press("Remove b.png")
    assert user.names == ["a.png", "c.png"] and user.focused == "Remove c.png"
    user.press("Remove c.png")
    assert user.focused == "Remove a.png"
    user.press("Remove a.png")
    assert user.focused == "Load images"
    assert page.locator("body").get_attribute("data-state") == "empty"


def test_previews_are_freed(user, page):
    user.load("a.png", "b.png")
    first, second = page.locator("#grid img").evaluate_all("found => found.map((image) => image.src)")
    user.press("Remove a.png")
    user.press("Reset")
    script = "(src) => Object.assign(new Image(), {src}).decode().then(() => false, () => true)"
    assert first.startswith("blob:") and all(page.evaluate(script, url) for url in (first, second))


def test_one_image_and_many_take_their_own_routes(user, service):
    user.result("a.png")
    user.load("b.png", "c.png")
    user.predict()
    user.sees("3 images predicted.")
    # Names of files stay here, and what was answered is not sent again.
    assert service.sent == [["image-1"], ["image-2", "image-3"]]
    assert service.count("POST predict") == service.count("POST predict_bulk") == 1


def test_flagged_images_have_frame_word_and_icon(user, page):
    user.result("mel.png", "nevus.png")
    assert user.marks == {"mel.png": FLAGGED, "nevus.png": CLEAR}
    red, blue = page.locator("#grid li").evaluate_all(
        "found => found.map((x) => getComputedStyle(x).borderColor)"
    )
    assert (red, blue) == ("rgb(179, 17, 43)", "rgb(23, 85, 138)")
    user.sees("melanoma score 90.0 %; most likely melanoma (90.0 %)")


def test_without_a_flagged_class_nothing_is_flagged(user, page, service):
    service.positive = False
    user.result("mel.png", "a.png")
    assert user.marks == {"mel.png": "", "a.png": ""}
    assert not page.locator("#threshold").is_visible()
    assert page.locator("#order option:disabled").count() == 2


@pytest.mark.parametrize("order", ["score, highest first", "score, lowest first"])
def test_what_has_no_score_stands_last(user, page, order):
    user.result("mel.png", "a.png")
    user.load("new.png")
    page.get_by_label("Sort by").select_option(order)
    assert user.names[2] == "new.png"


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("newest first", ["edge.png", "mel.png", "a10.png", "a2.png"]),
        ("name, A to Z", ["a2.png", "a10.png", "edge.png", "mel.png"]),
        ("name, Z to A", ["mel.png", "edge.png", "a10.png", "a2.png"]),
        ("score, highest first", ["mel.png", "edge.png", "a2.png", "a10.png"]),
        ("score, lowest first", ["a2.png", "a10.png", "edge.png", "mel.png"]),
    ],
)
def test_images_are_sorted(user, page, order, names):
    user.result("edge.png", "mel.png", "a10.png", "a2.png")
    page.get_by_label("Sort by").select_option(order)
    assert user.names == names


def test_the_threshold_marks_anew_at_once_and_goes_back(user, page):
    user.result("mel.png", "edge.png", "a.png")
    slider = page.get_by_role("slider")
    assert page.locator("#threshold-value").inner_text() == "25.0\u00a0%: 2 of 3 images flagged"
    user.sees("finds 90.0 % of melanoma, alarms at 30.0 % of all else")
    slider.fill("0.31")
    assert user.marks == {"mel.png": FLAGGED, "edge.png": CLEAR, "a.png": CLEAR}
    assert slider.get_attribute("aria-valuetext") == "31.0\u00a0%: 1 of 3 images flagged"
    user.press("Back to 25.0 %")
    assert user.marks["edge.png"] == FLAGGED


# The slider has steps of 0.001, and the threshold may lie between two of them.
@pytest.mark.parametrize(("threshold", "mark"), [(0.3, FLAGGED), (0.30000001, CLEAR)])
def test_the_served_threshold_is_reached_exactly(user, service, threshold, mark):
    service.threshold = threshold
    user.result("edge.png")
    assert user.marks == {"edge.png": mark}


def test_without_a_threshold_the_slider_sets_one(user, page, service):
    service.threshold = None
    user.result("mel.png", "a.png")
    assert user.marks == {"mel.png": "", "a.png": ""}
    user.sees("No threshold is known for this model. Move the slider to set one.")
    page.get_by_role("slider").fill("0.8")
    assert user.marks == {"mel.png": FLAGGED, "a.png": CLEAR}


def test_results_are_saved_as_csv(user, page, draw):
    user.result("mel.png", ('=HYPERLINK("x", 1).png', draw("other")))
    page.get_by_role("slider").fill("0.05")
    with page.expect_download() as download:
        user.press("Download CSV")
    text = download.value.path().read_text(encoding="utf-8-sig")
    first, second = csv.DictReader(io.StringIO(text, newline=""))
    assert first["name"] == "mel.png" and second["name"] == '\'=HYPERLINK("x", 1).png'
    assert (first["model"], first["prediction"], first["notice"]) == ("demo", "mel", "not for diagnosis")
    assert (float(first["score"]), float(second["threshold"]), second["flagged"]) == (0.9, 0.05, "true")
    assert sum(
        float(second[label]) for label in ("nv", "mel", "bkl", "bcc", "akiec", "vasc", "df")
    ) == pytest.approx(1)


def test_another_model_replaces_all_answers(user, page, service):
    user.result("mel.png", "a.png")
    page.get_by_label("Name").select_option("other")
    user.sees("These are answers of demo. Predict to replace them by those of other.")
    assert user.marks["mel.png"] == FLAGGED
    page.get_by_role("slider").fill("0.9")
    service.threshold = 0.5
    user.press("Predict 2 images")
    page.get_by_role("button", name="Predict again").wait_for()
    # Another model has a threshold of its own.
    user.sees("50.0 %: 1 of 2 images flagged")
    assert [query["model_id"] for kind, _, query, *_ in service.asked if kind == "POST predict_bulk"] == [
        ["demo"],
        ["other"],
    ]
    assert "other" in user.open("mel.png").inner_text()


def test_reset_forgets_here_and_in_the_service(user, page, service):
    user.result("a.png", "b.png")
    user.press("Reset")
    user.wait_for("empty")
    assert user.names == [] and user.focused == "Load images"
    assert service.has_deleted()


def test_the_page_works_below_another_path(user, page, service):
    page.goto(f"{service.url}/proxied/app/")
    user.result("mel.png", "a.png")
    asked = [path for _, path, *_ in service.asked if path.startswith("/proxied/")]
    assert asked[0] == "/proxied/public_models" and "/proxied/predict_bulk" in asked


def test_leaving_deletes_the_tasks(user, page, service):
    user.result("a.png", "b.png")
    page.goto("about:blank")
    assert service.has_deleted()
