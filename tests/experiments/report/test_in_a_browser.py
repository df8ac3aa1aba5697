"""The page of a run for everybody: on a phone, in the dark, by keyboard, on paper; checked by axe-core."""

import re
import shutil

import pandas as pd
import pytest

from skinkit.experiments import SavedRun
from skinkit.experiments.deciding.subgroups import write_subgroups
from skinkit.experiments.report import write_report

# One browser is enough: its tests go to one process.
pytestmark = pytest.mark.xdist_group("browser")
PAPER = int((210 - 2 * 14) / 25.4 * 96)
# The style changes at 384 and at 640 pixels; in the dark it has other colours, and nothing else.
LOOKS = {320: "light", 390: "light", 768: "light", 1440: "dark"}


@pytest.fixture(scope="module")
def address(browser, whole, tmp_path_factory):
    """The page of an untrained run on drawn images that says it leaks: it has everything but epochs."""
    folder = shutil.copytree(whole, tmp_path_factory.mktemp("page") / "run")
    report = pd.read_csv(folder / "leakage.csv").assign(photograph=0.726, lesion=1.0)
    report.to_csv(folder / "leakage.csv", index=False)
    found = write_subgroups(SavedRun(folder), folder)
    # So few images show nothing; the table of what stands out is to be looked at, too.
    found.loc[:3, ["value", "low", "high", "difference", "difference_low", "difference_high"]] = [
        0.934,
        0.871,
        0.966,
        -0.297,
        -0.471,
        -0.112,
    ]
    found.assign(note=found["note"].mask(found.index < 4, "")).to_csv(folder / "subgroups.csv", index=False)
    return write_report(folder).as_uri()


@pytest.fixture
def page(browser, address):
    page = browser.new_page()
    page.goto(address)
    yield page
    page.close()


def unfold(page):
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")


def test_axe_finds_nothing_and_nothing_is_too_wide(page):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    unfold(page)
    for width, colours in LOOKS.items():
        page.emulate_media(color_scheme=colours)
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = axe.Axe().run(page)
        assert found.violations_count == 0, f"{width} px: {found.generate_report()}"


def test_a_class_is_chosen_by_keyboard(page):
    everything = page.locator("li.look")
    assert everything.count() > 7
    page.locator("input[name=look]").first.focus()
    page.keyboard.press("ArrowDown")
    chosen = page.locator("input[name=look]:checked").get_attribute("id").replace("look-", "of-")
    shown = page.locator("li.look:visible")
    assert 0 < shown.count() == page.locator(f"li.look.{chosen}").count() < everything.count()


def test_everything_is_on_paper(page):
    page.locator("input[name=look]").nth(1).check()
    assert not page.get_by_text("Called so").is_visible()
    page.emulate_media(media="print")
    assert page.get_by_text("Called so").is_visible() and page.get_by_text("Cohen's kappa").is_visible()
    assert page.locator("li.look:visible").count() == page.locator("li.look").count()
    # A4 without its margins, in the pixels of a page.
    page.set_viewport_size({"width": PAPER, "height": 1000})
    assert page.evaluate("document.documentElement.scrollWidth") <= PAPER
    photographs = page.locator("img[src^='data:image/jpeg']").count()
    printed = page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Subtype ?/Image", printed)) >= photographs > 14
    # A4 in points.
    assert re.search(rb"/MediaBox ?\[0 0 59[45][.\d]* 84[12]", printed)


def test_images_are_drawn_when_they_come_near(page):
    style = "(figure) => getComputedStyle(figure).contentVisibility"
    assert page.locator(".figures figure").first.evaluate(style) == "auto"
    assert page.locator("li.look").first.evaluate(style) == "auto"
    assert page.locator("img:not([decoding=async])").count() == 0


def test_every_image_is_told_in_words(page):
    images = page.locator("img").all()
    assert images
    for image in images:
        assert len(image.get_attribute("alt")) > 15
