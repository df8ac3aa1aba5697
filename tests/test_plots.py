import io
import itertools
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

mpl.use("agg")

import matplotlib.pyplot as plt  # noqa: E402

from skinkit import plots  # noqa: E402

LABELS = ["mel", "nv", "bcc"]
COUNTS = np.array([[8, 2, 0], [1, 30, 4], [0, 0, 5]])


def predictions(n=120, seed=0):
    rng = np.random.default_rng(seed)
    y_true = rng.choice(LABELS, size=n)
    logits = rng.normal(size=(n, 3)) + (np.array(LABELS) == y_true[:, None])
    return y_true, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def report(lesion=0.4, patient=pd.NA):
    return pd.DataFrame(
        {
            "n": [50, 10],
            "photograph": pd.array([0.0, 0.0], dtype="Float64"),
            "lesion": pd.array([lesion, lesion / 2], dtype="Float64"),
            "patient": pd.array([patient] * 2, dtype="Float64"),
        },
        index=["all", "mel"],
    )


def table():
    return pd.DataFrame({"label": ["mel", "nv", "nv"], "lesion_id": ["a", "b", "b"]})


def reliability():
    return pd.DataFrame(
        {
            "low": [0.0, 0.5],
            "high": [0.5, 1.0],
            "n": [0, 10],
            "confidence": [np.nan, 0.9],
            "accuracy": [np.nan, 0.8],
        }
    )


def history():
    columns = {"epoch": [0, 1, 2], "phase": ["head", "all", "all"], "loss": [3.0, 2.0, 1.0]}
    return pd.DataFrame(columns | {"val_loss": [3.0, 2.5, 2.0], "val_macro_recall": [0.1, 0.2, 0.3]})


def scores(shift=0.0):
    return pd.DataFrame(
        {"value": [0.8, 0.6], "low": [0.7, 0.5], "high": [0.9, 0.7]},
        index=pd.Index(["accuracy", "macro_recall"], name="metric"),
    ).add(shift)


def ledger():
    return pd.DataFrame(
        {
            "published": [0.8, 0.7, None],
            "measured": [0.79, 0.5, 0.6],
            "low": [0.75, 0.45, 0.5],
            "high": [0.83, 0.55, 0.7],
            "verdict": ["reproduced", "not reproduced", ""],
        }
    )


def curve():
    index, benefit = [0.1, 0.5], np.array([0.2, 0.1])
    table = {"net_benefit": benefit, "error": benefit, "low": benefit - 0.1, "high": benefit + 0.1}
    return pd.DataFrame({**table, "all": [0.15, -0.7]}, index=index)


IMAGE = np.zeros((6, 8, 3), dtype=np.uint8)
HEAT = np.linspace(0, 1, 6).reshape(2, 3)
CROPS = np.zeros((2, 5, 4, 4, 3), dtype=np.uint8)
WEIGHTS = np.array([[0.2, 0.3, 0.4, 0.5, 0.6], [0.5] * 5])
ON_ONE_AX = {
    "class_counts": lambda ax: plots.class_counts(table(), ax=ax),
    "confusion_matrix": lambda ax: plots.confusion_matrix(COUNTS, LABELS, ax=ax),
    "roc_curves": lambda ax: plots.roc_curves(*predictions(), LABELS, ax=ax),
    "precision_recall": lambda ax: plots.precision_recall_curves(*predictions(), LABELS, ax=ax),
    "reliability_diagram": lambda ax: plots.reliability_diagram(reliability(), ax=ax),
    "leakage_bars": lambda ax: plots.leakage_bars(report(), ax=ax),
    "score_intervals": lambda ax: plots.score_intervals({"a": scores()}, ax=ax),
    "decision_curves": lambda ax: plots.decision_curves({"a": curve()}, ax=ax),
    "risk_coverage_curves": lambda ax: plots.risk_coverage_curves({"a": curve()}, ax=ax),
    "ledger": lambda ax: plots.published_against_measured(ledger(), ax=ax),
    "overlay": lambda ax: plots.overlay(IMAGE, HEAT, ax=ax),
    "learning_curves": lambda ax: plots.learning_curves(
        history(), ["loss"], axes=None if ax is None else [ax]
    ),
    "image_grid": lambda ax: plots.image_grid([IMAGE], axes=None if ax is None else [ax]),
    "embedding": lambda ax: plots.embedding(np.eye(2), ["benign", "malignant"], ax=ax),
    "crop_weights": lambda ax: plots.crop_weights(CROPS[:1], WEIGHTS[:1], axes=None if ax is None else [ax]),
}


@pytest.mark.parametrize("name", ON_ONE_AX)
def test_a_figure_is_returned_and_nothing_global_changes(name):
    mine = plt.figure()
    settings = dict(mpl.rcParams)
    figure = ON_ONE_AX[name](None)
    figure.savefig(io.BytesIO(), format="png", dpi=40)
    assert plt.get_fignums() == [mine.number] and plt.gcf() is mine
    assert dict(mpl.rcParams) == settings
    plt.close(mine)


@pytest.mark.parametrize("name", ON_ONE_AX)
def test_it_draws_on_the_axes_it_is_given(name):
    figure, ax = plt.subplots()
    assert ON_ONE_AX[name](ax) is figure
    assert ax.has_data()
    plt.close(figure)


def texts(figure):
    return " ".join(text.get_text() for text in figure.findobj(mpl.text.Text))


def test_figures_say_how_many_images_they_show():
    y_true, probabilities = predictions()
    for figure in (
        plots.roc_curves(y_true, probabilities, LABELS),
        plots.precision_recall_curves(y_true, probabilities, LABELS),
    ):
        assert "n = 120" in texts(figure)
        assert all(f"{label} (n = {(y_true == label).sum()})" in texts(figure) for label in LABELS)
    assert "50 images" in texts(plots.confusion_matrix(COUNTS, LABELS))
    assert "mel\nn = 10" in texts(plots.confusion_matrix(COUNTS, LABELS))
    assert "n = 10" in texts(plots.reliability_diagram(reliability()))
    assert "n = 3" in texts(plots.class_counts(table()))
    assert "all\nn = 50" in texts(plots.leakage_bars(report()))


def test_the_confusion_matrix_shows_counts_and_shares_of_the_true_class():
    shown = texts(plots.confusion_matrix(COUNTS, LABELS))
    assert "8\n80%" in shown and "30\n86%" in shown and "86.0% of 50" in shown


def test_roc_areas_are_right_and_carry_their_intervals():
    truth, probabilities = ["mel", "nv", "nv"], [[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]]
    intervals = pd.DataFrame({"value": [1.0], "low": [0.9], "high": [1.0]}, index=["auc:mel"])
    shown = texts(plots.roc_curves(truth, probabilities, ["mel", "nv"], intervals))
    assert "mel (n = 1): 1.000 [0.900, 1.000]" in shown and "nv (n = 2): 1.000" in shown


@pytest.mark.parametrize("draw", [plots.roc_curves, plots.precision_recall_curves])
def test_classes_without_images_are_named_but_not_drawn(draw):
    figure = draw(["mel", "nv"], [[0.9, 0.1, 0], [0.2, 0.8, 0]], ["mel", "nv", "df"])
    assert "df (n = 0): none" in texts(figure)
    lines = [line for line in figure.axes[0].lines if line.get_label().startswith("df")]
    assert all(len(line.get_xdata()) == 0 for line in lines) and lines


def test_empty_bins_are_left_out_of_the_reliability_diagram():
    (ax,) = plots.reliability_diagram(reliability()).axes
    assert len(ax.containers[0].lines[0].get_xdata()) == 1
    # Wilson's interval of 8 in 10.
    (segment,) = ax.containers[0].lines[2][0].get_segments()
    np.testing.assert_allclose(segment[:, 1], [0.490, 0.943], atol=1e-3)


def test_learning_curves_have_a_panel_a_metric_and_mark_phases():
    figure = plots.learning_curves(history(), metrics=("loss", "accuracy", "macro_recall"))
    assert [ax.get_title() for ax in figure.axes] == ["loss", "macro_recall"]
    labels = [line.get_label() for line in figure.axes[0].lines]
    assert labels[:2] == ["training", "validation"]
    assert figure.axes[0].lines[2].get_xdata() == [0.5, 0.5]


def test_curves_of_several_trainings_have_a_colour_each():
    other = history().assign(loss=[2.0, 1.0, 0.5])
    panels = {"Figure 1": ("loss", {"A": history(), "B": [other, other]}), "Figure 2": ("auc", {"A": other})}
    figure = plots.compared_curves(panels)
    first, second = figure.axes
    assert [ax.get_title() for ax in figure.axes] == list(panels)
    drawn = [line for line in first.lines if len(line.get_xdata())]
    assert [line.get_linestyle() for line in drawn] == ["-", "--"] * 3
    assert len({tuple(line.get_color()) for line in drawn}) == 2
    assert [text.get_text() for text in first.get_legend().get_texts()] == ["A", "B"]
    assert not any(len(line.get_xdata()) for line in second.lines), "no such values"


def test_models_stand_by_their_area_and_several_trainings_with_their_range():
    truth = np.array([True, True, False, False])
    right, half, wrong = ([0.9, 0.8, 0.2, 0.1], [0.9, 0.1, 0.8, 0.2], [0.1, 0.2, 0.8, 0.9])
    figure = plots.roc_of_runs(
        {"M0": [(truth, half)], "M1": [(truth, right), (truth, wrong)], "M2": [(truth, right)]}
    )
    legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert legend[0] == "M2: 1.000"
    assert sorted(legend[1:]) == ["M0: 0.500", "M1: 0.500 [0.000, 1.000]"]


def test_a_curve_leads_from_one_validated_epoch_to_the_next():
    gaps = history().assign(val_loss=[3.0, np.nan, 2.0], loss=[np.nan, 2.0, 1.0]).set_axis([5, 5, 7])
    training, validation = plots.learning_curves(gaps, ["loss"]).axes[0].lines[:2]
    assert training.get_xydata().tolist() == [[1, 2], [2, 1]]
    assert validation.get_xydata().tolist() == [[0, 3], [2, 2]]
    uncounted = plots.learning_curves(gaps.drop(columns=["epoch"]), ["loss"]).axes[0].lines[1]
    assert uncounted.get_xydata().tolist() == [[0, 3], [2, 2]]


def test_a_history_without_the_metrics_is_refused():
    with pytest.raises(ValueError, match="epoch"):
        plots.learning_curves(pd.DataFrame({"epoch": [0]}))


def heights(figure):
    return [[bar.get_height() for bar in bars] for bars in figure.axes[0].containers]


def test_one_leakage_report_shows_its_known_kinds():
    assert heights(plots.leakage_bars(report(0.4))) == [[0, 0], [40, 20]]
    from_json = report(0.4).astype(object).where(report(0.4).notna(), None)
    assert heights(plots.leakage_bars(from_json.astype({"n": int}))) == [[0, 0], [40, 20]]


def test_several_leakage_reports_are_compared_in_one_kind():
    reports = {"image": report(0.4), "lesion": report(0.0)}
    figure = plots.leakage_bars(reports)
    assert heights(figure) == [[40, 20], [0, 0]] and "lesion" in texts(figure)


def test_unknown_leakage_leaves_an_empty_figure():
    assert heights(plots.leakage_bars({"x": report()}, kind="patient")) == []


@pytest.mark.parametrize("rows", [["macro_recall"], ["macro_recall", "accuracy"] * 9])
def test_the_legend_of_intervals_lies_on_nothing(rows):
    figure = plots.score_intervals({"a": scores(), "b": scores(0.05)}, rows)
    (ax,) = figure.axes
    ax.set_title("a title")
    figure.canvas.draw()
    legend = ax.get_legend().get_window_extent()
    for other in (ax, ax.title, ax.xaxis.label):
        assert not legend.overlaps(other.get_window_extent())


def test_intervals_of_several_runs_stand_beside_each_other():
    (ax,) = plots.score_intervals({"a": scores(), "b": scores(0.05)}, ["macro_recall"]).axes
    assert [line.get_label() for line in ax.lines] == ["a", "b"]
    assert [line.get_xdata()[0] for line in ax.lines] == pytest.approx([0.6, 0.65])
    assert [text.get_text() for text in ax.get_yticklabels()] == ["macro_recall"]


def test_a_decision_curve_stands_beside_all_and_none_and_several_have_no_bands():
    figure = plots.decision_curves({"a": curve(), "b": curve() - 0.3})
    (ax,) = figure.axes
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["a", "b", "take out all", "take out none"] and not ax.collections
    assert ax.get_ylim() == pytest.approx((-0.06, 0.23))
    assert len(plots.decision_curves({"a": curve()}).axes[0].collections) == 1


def test_the_ledger_figure_colours_and_names_what_can_be_compared_and_leaves_the_rest_hollow():
    table = pd.concat([ledger(), ledger()[:1].assign(verdict="not comparable", measured=0.5)])
    figure = plots.published_against_measured(table.assign(target=list("abcd"), group="quick"))
    shown = texts(figure)
    assert "2 of 3 scores can be compared" in shown and "not reproduced (1)" in shown
    assert "not comparable: quick (1), median -0.30" in shown
    (ax,) = figure.axes
    assert [text.get_text() for text in ax.texts] == ["b", "a"]
    points = [line for line in ax.lines if len(line.get_xdata()) == 1]
    assert [line.get_markerfacecolor() == "none" for line in points] == [False, False, True]
    assert len({line.get_color() for line in points}) == 3
    assert "0 of 0 scores" in texts(plots.published_against_measured(ledger()[:0]))


def test_heat_maps_of_any_size_cover_their_image():
    (ax,) = plots.overlay(IMAGE, HEAT, title="nv").axes
    assert [list(image.get_extent()) for image in ax.images] == [[0, 8, 6, 0]] * 2
    assert ax.get_title() == "nv"


def test_grids_hold_one_image_a_cell():
    figure = plots.overlay_grid([IMAGE] * 5, [HEAT] * 5, list("abcde"), columns=3)
    assert [ax.get_title() for ax in figure.axes] == list("abcde")
    assert len({ax.get_position().y0 for ax in figure.axes}) == 2
    assert all(len(ax.images) == 1 for ax in plots.image_grid([IMAGE] * 2).axes)


def frames(ax):
    return [(patch.get_linewidth(), patch.get_edgecolor()) for patch in ax.patches]


def test_crops_with_more_weight_have_wider_and_brighter_frames():
    figure = plots.crop_weights(CROPS, WEIGHTS, titles=["mel", "nv"])
    first, second, bar = figure.axes
    assert [len(ax.images) for ax in (first, second)] == [5, 5] and first.get_title() == "mel"
    widths, colours = zip(*frames(first), strict=True)
    assert sorted(widths) == list(widths) and widths[0] < widths[-1]
    assert sum(colours[0][:3]) < sum(colours[-1][:3])
    assert {frames(second)[0], frames(first)[3]} == set(frames(second)), "equal weights look alike everywhere"
    assert bar.get_ylim() == pytest.approx((0.2, 0.6))


def test_crops_lie_where_they_were_cut_out():
    (ax, _) = plots.crop_weights(CROPS[:1], WEIGHTS[:1]).axes
    corners = [patch.get_xy() for patch in ax.patches]
    assert corners[4] == pytest.approx(np.mean(corners[:4], axis=0)), "the fifth crop is the centre"
    (ax, _) = plots.crop_weights(np.zeros((1, 9, 4, 4, 3)), np.ones((1, 9))).axes
    left, top = zip(*[patch.get_xy() for patch in ax.patches], strict=True)
    assert left[:3] == left[3:6] and len(set(top[:3])) == 1 and top[3] > top[0]


def test_class_counts_follow_the_given_order_and_count_lesions():
    figure = plots.class_counts(table(), ["nv", "mel", "df"])
    assert heights(figure) == [[2, 1, 0], [1, 1, 0]]
    plain = plots.class_counts(table().drop(columns="lesion_id"))
    assert heights(plain) == [[2, 1]] and "lesions" not in texts(plain)


# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
DEFICIENCIES = {
    "none": np.eye(3),
    "protanopia": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
    "deuteranopia": [[0.3673, 0.8607, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]],
    "tritanopia": [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
}
TO_XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]


def lab(colour, deficiency):
    rgb = np.array(mpl.colors.to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(deficiency) @ linear, 0, 1)
    xyz = np.array(TO_XYZ) @ seen / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("name", DEFICIENCIES)
def test_diagnoses_are_told_apart_with_every_kind_of_colour_vision(name):
    colours = {label: lab(plots.PALETTE[label], DEFICIENCIES[name]) for label in plots.PALETTE}
    for shared in ("ak", "malignant", "benign"):
        del colours[shared]
    white = lab("white", DEFICIENCIES[name])
    for (a, first), (b, second) in itertools.combinations({**colours, "white": white}.items(), 2):
        # About 2.3 is just noticeable; lines and bars need several times that.
        assert np.linalg.norm(first - second) > 15, (a, b)


def test_plots_import_no_tensorflow():
    code = "import sys, skinkit.plots; print({'tensorflow', 'keras'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_rare_classes_lie_over_frequent_ones_beside_their_number():
    points, labels = np.arange(8.0).reshape(4, 2), ["malignant", "benign", "benign", "benign"]
    probe = pd.Series({"value": 0.6, "low": 0.4, "high": 0.75})
    (ax,) = plots.embedding(points, labels, probe).axes
    benign, malignant = ax.collections
    np.testing.assert_array_equal(malignant.get_offsets(), points[:1])
    np.testing.assert_array_equal(benign.get_offsets(), points[1:])
    assert malignant.get_zorder() > benign.get_zorder()
    assert benign.get_label() == "benign (n = 3)" and ax.get_title().endswith("AUC 0.60 [0.40, 0.75]")
