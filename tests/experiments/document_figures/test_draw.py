"""Every figure of the documents that can be drawn, from a tiny run, drawn images and released numbers."""

import dataclasses
from contextlib import nullcontext

import cv2
import pytest
from page_stand_in import StandIn

from skinkit.cli.command_line import parser
from skinkit.data.synthetic.drawing import draw_lesion
from skinkit.experiments.document_figures import draw, draw_figure, figure_list, list_figures, serving
from skinkit.experiments.document_figures.draw import DRAWINGS
from skinkit.papers.figures import load_figures
from skinkit.papers.recipe import choose
from skinkit.papers.registry import recipe

DOCUMENTS = ("bermeo2023", "butskova2021", "gessert2019", "hernandez2020", "koefler2023")
DRAWN = [
    (key, row) for key in DOCUMENTS for row in load_figures(key).query("drawing != ''").to_dict("records")
]
pytestmark = pytest.mark.xdist_group("smoke-run")


@pytest.fixture(autouse=True)
def no_releases(monkeypatch, tmp_path):
    monkeypatch.setenv("SKINKIT_DATA", str(tmp_path))


@pytest.fixture(scope="session")
def with_crops(tmp_path_factory):
    """A run, without training, whose network weights the crops of an image."""
    from skinkit.experiments import run

    changes = {"phases": (), "selection": "last", "score_best": False, "profiles": _TINY_CROPS}
    untrained = dataclasses.replace(
        recipe("gessert2019/table2/small-end"), protocols={}, balancing=choose("none"), **changes
    )
    return run(untrained, "smoke", out=tmp_path_factory.mktemp("runs"), verbose=0)


_TINY_CROPS = {"smoke": {"image_size": (64, 80), "crop_size": 32, "subset": 60}}


@pytest.fixture(scope="module")
def platform():
    with StandIn() as service:
        yield service.url


@pytest.fixture(scope="module")
def chromium():
    with serving.chromium() as browser:
        yield browser


def shown_page(row, request, monkeypatch):
    """Has the stand-in answer, in the place of the server of a run: `test_end_to_end` starts that."""
    if not serving.has_browser():
        pytest.skip(f"needs {serving.BROWSER}")
    address = f"{request.getfixturevalue('platform')}/{'' if row['of'] == 'api' else 'app/'}"
    monkeypatch.setattr(serving, "served", lambda *_: nullcontext(address))
    # One browser is enough.
    browser = request.getfixturevalue("chromium")
    monkeypatch.setattr(serving, "chromium", lambda: nullcontext(browser))


@pytest.mark.parametrize(("document", "row"), DRAWN, ids=[f"{key}-{row['figure']}" for key, row in DRAWN])
def test_a_figure_is_drawn_and_says_where_it_comes_from(document, row, tmp_path, request, monkeypatch):
    runs = []
    if row["drawing"] == "page":
        shown_page(row, request, monkeypatch)
    if DRAWINGS[row["drawing"]] == "runs" or row["drawing"] == "page":
        name = "with_crops" if row["drawing"] == "weights_of_crops" else "finished"
        runs = [request.getfixturevalue(name)]
    out = tmp_path / "figure.png"
    text = draw_figure(document, row["figure"], out, tmp_path, runs)
    assert text.startswith(f"{document}, ") and row["shows"] in text and "Here: " in text
    pixels = cv2.imread(str(out))
    assert min(pixels.shape[:2]) > 150 and pixels.std() > 5
    assert [path.name for path in tmp_path.iterdir()] == ["figure.png"], "no part file is left"
    assert text.endswith("its order can be compared, its level cannot.") == bool(runs)
    if runs or DRAWINGS[row["drawing"]] == "images":
        assert "drawn images, no photographs" in text


def test_the_server_of_a_page_is_started_in_words_that_it_knows(tmp_path, monkeypatch):
    asked = []

    def start(command, **_):
        asked.extend(command)
        raise RuntimeError("not started")

    monkeypatch.setattr(serving.subprocess, "Popen", start)
    with pytest.raises(RuntimeError, match="not started"), serving.served(["run"], tmp_path, tmp_path):
        pass
    assert parser().parse_args(asked[3:]).data_dir == str(tmp_path)


def test_without_runs_the_list_says_what_each_figure_needs(tmp_path):
    now = list_figures("butskova2021", tmp_path).set_index("figure")
    assert " ".join(now["now"]) == "no yes yes no yes yes run run run"
    assert now.loc["9", "needs"] == (
        "a run with its model of butskova2021/pretrained/efficientnet-gamma1 or "
        "butskova2021/stages/lite0-gamma1-mixup"
    )
    assert "\n6  yes  Confusion matrix" in figure_list("butskova2021", tmp_path)


def test_own_images_take_the_place_of_drawn_ones(tmp_path, finished):
    image = tmp_path / "lesion.png"
    cv2.imwrite(str(image), draw_lesion("mel", 1)[0])
    text = draw_figure("bermeo2023", "7.3", tmp_path / "a.png", files=[image])
    assert "images of the reader" in text
    text = draw_figure("koefler2023", "6", tmp_path / "a.png", given=[finished], files=[image])
    assert ", over images of the reader" in text
    with pytest.raises(ValueError, match="shows 2 images. Received: 1"):
        draw_figure("butskova2021", "5", tmp_path / "b.png", files=[image])
    image.write_text("no image")
    with pytest.raises(ValueError, match="lesion.png is not an image"):
        draw_figure("bermeo2023", "7.3", tmp_path / "b.png", files=[image])


@pytest.mark.parametrize(
    ("number", "options", "error", "message"),
    [
        (
            "7",
            {},
            FileNotFoundError,
            "Figure 7 of .* needs a run of .*lite0-rest. .* run .*lite0-gate .*lite0-rest --profile quick",
        ),
        ("1", {}, ValueError, "Figure 1 of butskova2021 cannot be drawn: photographs of the authors"),
        ("6", {"given": ["run"]}, ValueError, "Figure 6 shows no run. Received: run"),
        ("6", {"files": ["a.png"]}, ValueError, "Figure 6 shows no images. Received: a.png"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_the_reason(number, options, error, message, tmp_path):
    with pytest.raises(error, match=message):
        draw_figure("butskova2021", number, tmp_path / "figure.png", tmp_path, **options)
    assert not list(tmp_path.iterdir())


def test_a_row_of_another_training_is_no_curve_of_a_pair(finished, tmp_path):
    with pytest.raises(ValueError, match="Figure 8.1 shows m0 and m4. Received: a run of tiny"):
        draw_figure("bermeo2023", "8.1", tmp_path / "figure.png", given=[finished])


def test_pages_need_a_browser_and_the_list_says_so(tmp_path, monkeypatch):
    numbers = ["8.14", "8.16"]
    monkeypatch.setattr(serving, "CHROMIUM", None)
    now = list_figures("bermeo2023", tmp_path).set_index("figure").loc[numbers]
    assert now["now"].tolist() == ["yes", "no"] and "Chromium (or its path in" in now.loc["8.16", "needs"]
    with pytest.raises(RuntimeError, match="is shown in a browser. It needs Chromium"):
        draw_figure("bermeo2023", "8.16", tmp_path / "figure.png")
    assert not list(tmp_path.iterdir())


def test_a_server_that_does_not_start_says_why(tmp_path):
    with (
        pytest.raises(RuntimeError, match="(?s)does not start. It says.*--no-option"),
        serving.served(["--no-option"], tmp_path),
    ):
        pass


class Run:
    def __init__(self, name, profile, protocol="corrected", seed=0, **said):
        self.manifest = {"recipe": name, "profile": profile, "protocol": protocol, "seed": seed, **said}


def test_a_figure_of_several_recipes_waits_for_two_and_names_those_that_are_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(draw, "staleness", lambda run: "")
    runs = [Run("gessert2019/table2/mobilenet-initial", "quick", seed=seed) for seed in range(3)]
    monkeypatch.setattr(draw, "_finished", lambda folder: runs)
    row = list_figures("gessert2019", tmp_path).set_index("figure").loc["5"]
    names = [f"gessert2019/figure5/mobilenet-p0.{rate}" for rate in (0, 1, 3, 4, 5)]
    assert row["now"] == "run" and row["needs"].startswith("runs of two recipes or more, of ")
    assert row["needs"].endswith(f"small-*; not run: {', '.join(names)}")
    with pytest.raises(FileNotFoundError, match="not run: gessert2019/figure5/mobilenet-p0.0, "):
        draw_figure("gessert2019", "5", tmp_path / "figure.png", tmp_path)
    runs.append(Run(names[0], "quick"))
    assert list_figures("gessert2019", tmp_path).set_index("figure").loc["5", "now"] == "yes"


def test_full_runs_come_first_and_only_those_alike(tmp_path, monkeypatch):
    monkeypatch.setattr(draw, "staleness", lambda run: "")
    row = {"runs": "d/t/a d/t/b | d/t/small-*", "drawing": "roc_curves"}
    small = [Run("d/t/small-a", "quick"), Run("d/t/small-b", "quick"), Run("d/t/small-b", "smoke")]
    assert draw._preferred(row, [*small, Run("d/t/a", "full")]) == small[:2], "b has no run"
    own = [Run("d/t/b", "quick"), Run("d/t/a", "full", seed=1), Run("d/t/a", "full", "as_published")]
    assert draw._preferred(row, [*small, *own]) == [own[1], own[0]]
    # As the recipe says, whatever the names of other weights, splits and precisions.
    others = [{"weights": "z.h5"}, {"split_file": "mine.csv"}, {"precision": "bfloat16"}]
    changed = [Run("d/t/small-a", "quick", **said) for said in others]
    assert (
        draw._preferred({"runs": "d/t/small-a", "drawing": "roc_curves"}, [*changed, small[0]]) == small[:1]
    )
    assert draw._preferred({"runs": "d/t/small-a", "drawing": "roc_curves"}, changed) == changed[:1]
