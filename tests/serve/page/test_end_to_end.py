"""The page on the real service, with a worker and a network."""

import shutil
from pathlib import Path

import pytest
from page_user import User, visit

from skinkit.experiments.document_figures.serving import served

ROOT = Path(__file__).parents[3]
TOKEN = "a-long-secret-token"


@pytest.fixture(scope="module")
def address(whole, tmp_path_factory):
    pytest.importorskip("skinkit.serve.server", reason="needs the server: pip install 'skinkit[serve]'")
    out = tmp_path_factory.mktemp("serve")
    # A copy: the validation images are predicted once, and kept in the folder.
    copied = shutil.copytree(whole, out / "run")
    with served(
        [copied], out, PYTHONPATH=str(ROOT), SKINKIT_DATA="", SKINKIT_TOKENS=f"me:{TOKEN}"
    ) as address:
        yield address


def test_the_page_does_on_the_service_what_it_does_on_the_stand_in(browser, address, draw):
    with visit(browser, address) as page:
        user = User(page)
        page.get_by_label("Token", exact=True).fill(TOKEN)
        user.press("Use it")
        user.sees("Trained on drawn images; macro recall")
        page.get_by_text("Model card").click()
        assert page.locator("#card .matrix tbody tr").count() == 7
        broken, small = draw("c.png", kind="JPEG")[:700], draw("d.png", size=(20, 20))
        user.load("a.png", "b.png", ("broken.jpg", broken), ("small.png", small))
        user.predict()
        user.sees("2 images predicted, 2 images refused.")
        user.sees("Sides of 32 pixels or more are needed, this is 20 x 20.")
        dialog = user.open("a.png")
        dialog.get_by_role("switch").check()
        user.sees("Grad-CAM for")
        probabilities = dialog.locator("table").first.locator("td").all_inner_texts()
        assert sum(float(text.removesuffix("%")) for text in probabilities) == pytest.approx(100, abs=0.5)
        page.keyboard.press("Escape")
        user.press("Remove b.png")
        user.press("Predict 2 images")
        user.sees("1 image predicted, 2 images refused.")
        user.press("Reset")
        user.wait_for("empty")
