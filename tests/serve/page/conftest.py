import io
import os
import shutil
import zlib

import numpy as np
import pytest
from page_stand_in import StandIn

CHROMIUM = os.environ.get("SKINKIT_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def pytest_collection_modifyitems(items):
    """One browser is enough: its tests go to one process."""
    for item in items:
        if item.path.parent.name == "page":
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="needs Playwright: pip install playwright")
    if CHROMIUM is None:
        pytest.skip("needs Chromium: apt-get install chromium, or its path in SKINKIT_CHROMIUM")
    with api.sync_playwright() as started:
        # Root, as in a container, has no sandbox.
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def colour(name):
    """The colour of the spot in the middle of an image, RGB."""
    return [value // 2 for value in zlib.crc32(name.encode()).to_bytes(4, "big")[:3]]


def drawn(name, size=(48, 64), kind="PNG"):
    """A drawn image: a dark spot on skin, of another colour for another name."""
    pillow = pytest.importorskip("PIL.Image", reason="the images of these tests are written with Pillow")
    y, x = np.mgrid[-1 : 1 : size[0] * 1j, -1 : 1 : size[1] * 1j]
    spot = (x**2 + (1.3 * y) ** 2 < 0.3)[..., None]
    pixels = np.where(spot, colour(name), (235, 200, 180)).astype("uint8")
    stream = io.BytesIO()
    pillow.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


@pytest.fixture
def draw():
    """Returns the function from a name to the bytes of its image."""
    return drawn


@pytest.fixture
def service():
    scores = {"mel.png": 0.9, "edge.png": 0.3}
    with StandIn(scores={drawn(name): score for name, score in scores.items()}) as service:
        service.overlay = drawn("overlay")
        yield service


@pytest.fixture
def page(browser, service):
    """The page, open; at the end, nothing on it has thrown or been refused by the content policy."""
    context = browser.new_context(viewport={"width": 1024, "height": 800}, reduced_motion="reduce")
    context.set_default_timeout(10_000)
    page = context.new_page()
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(f"thrown: {error}"))
    page.goto(f"{service.url}/app/")
    yield page
    context.close()
    # A failed request is logged by the browser itself, whoever handles it.
    assert [text for text in said if not text.startswith("Failed to load resource")] == []


class User:
    """What somebody does on the page, and sees there.

    Args:
        page: Playwright's page.
    """

    def __init__(self, page):
        self.page = page

    def load(self, *files):
        """Loads files by name, or by name and content."""
        before = self.page.locator(".toast").count()
        named = [(file, drawn(file)) if isinstance(file, str) else file for file in files]
        self.page.set_input_files(
            "#files", [{"name": name, "mimeType": "", "buffer": content} for name, content in named]
        )
        self.page.locator(".toast").nth(before).wait_for()

    def press(self, name):
        self.page.get_by_role("button", name=name).click()

    def predict(self):
        self.page.locator("#predict").click()

    def sees(self, text):
        self.page.get_by_text(text).filter(visible=True).first.wait_for()

    def wait_for(self, state):
        self.page.locator(f"body[data-state={state}]").wait_for()

    def result(self, *files):
        self.load(*files)
        self.predict()
        self.wait_for("result")

    def open(self, name):
        """Opens the dialog of an image, and returns it."""
        self.page.locator("#grid .open", has_text=name).click()
        return self.page.get_by_role("dialog")

    def sees_image(self, name):
        """Waits until the dialog shows the image of a name, told by its colour."""
        self.page.wait_for_function(
            """(wanted) => {
                const image = document.getElementById("detail-image");
                const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
                if (!image.complete || !image.naturalWidth) return false;
                canvas.drawImage(image, -image.naturalWidth / 2, -image.naturalHeight / 2);
                return wanted.every((value, index) => canvas.getImageData(0, 0, 1, 1).data[index] === value);
            }""",
            arg=colour(name),
        )

    @property
    def names(self):
        return self.page.locator("#grid .name").all_inner_texts()

    @property
    def marks(self):
        return dict(zip(self.names, self.page.locator("#grid .mark").all_inner_texts(), strict=True))

    def has_focus(self, text):
        """Waits until the focus is on what begins with a text."""
        script = "(text) => document.activeElement.innerText.startsWith(text)"
        self.page.wait_for_function(script, arg=text)

    @property
    def focused(self):
        return self.page.evaluate("document.activeElement.ariaLabel || document.activeElement.innerText")


@pytest.fixture
def user(page):
    return User(page)
