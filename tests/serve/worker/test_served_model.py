"""Finished runs as they are served: their own scores, thresholds, overlays; and runs that are refused."""

import dataclasses
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from serve_place import image_bytes

from skinkit import evaluation
from skinkit.experiments import SavedRun, decision, fit_rule, run, write_card
from skinkit.papers import choose
from skinkit.papers.members import ensemble
from skinkit.serve.settings import Limits, ModelSettings
from skinkit.serve.web.images import accept
from skinkit.serve.worker import process
from skinkit.serve.worker.served_model import ServedModel

# One worker makes the run that these tests share.
pytestmark = pytest.mark.xdist_group("served-run")


@pytest.fixture(scope="module")
def folder_of_run(finished, tmp_path_factory):
    """A copy: the validation images are predicted once, and kept in the folder."""
    return shutil.copytree(finished, tmp_path_factory.mktemp("served") / "tiny")


@pytest.fixture(scope="module")
def served(folder_of_run):
    return ServedModel("tiny", ModelSettings(run=str(folder_of_run)))


@pytest.fixture(scope="module")
def own_images(folder_of_run):
    """The test images of the run, as they are taken in, in the order of its predictions."""
    saved = SavedRun(folder_of_run)
    paths = saved.run_data().table.set_index("image_id")["path"].loc[saved.predictions["image_id"]]
    taken = [accept(Path(path).name, Path(path).read_bytes(), Limits()) for path in paths]
    return [(upload.name, upload.content) for upload in taken]


def answers(served, images):
    return [json.loads(answer) for answer in served.answers(images)]


def test_the_scores_are_those_of_the_run(served, own_images, folder_of_run):
    found = answers(served, own_images)
    _, expected, labels = evaluation.unpack_predictions(SavedRun(folder_of_run).predictions)
    probabilities = [[answer["probabilities"][label] for label in labels] for answer in found]
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    assert [answer["name"] for answer in found] == [name for name, _ in own_images]
    predicted = [labels[i] for i in expected.argmax(axis=1)]
    assert [answer["prediction"]["prediction"] for answer in found] == predicted
    assert [answer["prediction"]["label"] for answer in found] == expected.argmax(axis=1).tolist()


def test_an_answer_has_the_keys_of_the_document(served, own_images, folder_of_run):
    (found,) = answers(served, own_images[:1])
    assert [*found] == ["name", "probabilities", "metadata", "prediction"]
    assert [*found["metadata"]][:4] == ["origin", "net_type", "img_size", "out_dim"]
    assert [*found["prediction"]][:4] == ["target", "score", "label", "prediction"]
    assert found["metadata"]["img_size"] == 32 and found["metadata"]["out_dim"] == 7
    assert found["metadata"]["hashes"]["run"] == SavedRun(folder_of_run).manifest["key"]
    assert "Not for clinical use" in found["prediction"]["notice"]


def test_the_target_is_a_calibrated_score_at_a_threshold_of_validation(served, own_images, folder_of_run):
    kept = SavedRun(folder_of_run).validation_predictions()
    truth, probabilities, labels = evaluation.unpack_predictions(kept)
    temperature = evaluation.fit_temperature(truth, probabilities, labels)
    scores = evaluation.apply_temperature(probabilities, temperature)[:, labels.index("mel")]
    card, positive = served.card, scores[truth == "mel"]
    assert card["positive"] == "mel" and card["temperature"] == pytest.approx(temperature)
    assert card["threshold"] in positive.tolist() and (positive >= card["threshold"]).mean() >= 0.9
    for answer in answers(served, own_images):
        each = np.array([[answer["probabilities"][label] for label in labels]])
        score = evaluation.apply_temperature(each, temperature)[0, labels.index("mel")]
        assert answer["prediction"]["score"] == pytest.approx(score)
        assert answer["prediction"]["target"] == (answer["prediction"]["score"] >= card["threshold"])


def test_settings_count_more_than_the_run(folder_of_run, own_images):
    settings = ModelSettings(run=str(folder_of_run), views="flips", threshold=0.0, positive="nv")
    found = ServedModel("tiny", settings)
    assert (found.card["views"], found.card["threshold"], found.card["positive"]) == ("flips", 0.0, "nv")
    assert found.card["temperature"] == 1 and "other views" in found.card["calibration"]
    (answer,) = answers(found, own_images[:1])
    assert answer["prediction"]["target"] is True
    name, content = own_images[0]
    mirrored = io.BytesIO()
    Image.open(io.BytesIO(content)).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(mirrored, "PNG")
    plain = io.BytesIO()
    Image.open(io.BytesIO(content)).save(plain, "PNG")
    one, two = answers(found, [(name, plain.getvalue()), (name, mirrored.getvalue())])
    assert one["probabilities"] == pytest.approx(two["probabilities"], abs=1e-5)


def test_the_service_and_the_card_read_a_run_by_one_rule(folder_of_run, own_images):
    saved = SavedRun(folder_of_run)
    rule = fit_rule(saved, sensitivity=0.95, balanced=True)
    settings = ModelSettings(run=str(folder_of_run), sensitivity=0.95, decision="balanced")
    found = ServedModel("tiny", settings)
    assert found.card["threshold"] == rule.threshold.value
    assert found.card["temperature"] == rule.temperature
    assert found.card["decision"] == f"largest log p - {rule.decision.tau:g} log(training share)"
    _, probabilities, labels = evaluation.unpack_predictions(saved.predictions)
    expected = rule.decision.apply(probabilities, labels).argmax(axis=1).tolist()
    assert [answer["prediction"]["label"] for answer in answers(found, own_images)] == expected
    assert found.card["confusion"] == confusion_of(rule.decided(saved.predictions))
    _, table = decision(saved)
    assert found.card["scores"]["macro_recall"]["value"] == table.loc[("test", "macro_recall"), "value"]
    assert found.card["scores"]["macro_auc"] == saved.metrics["scores"]["macro_auc"]
    text = write_card(folder_of_run).read_text()
    assert f"from a calibrated p_mel = {rule.threshold.value:.4g} on" in text
    assert f"{found.card['decision']}, chosen on validation" in text


def confusion_of(predictions):
    return evaluation.confusion_table(*evaluation.unpack_predictions(predictions)).to_numpy().tolist()


def test_a_decision_that_no_validation_image_chose_cannot_be_asked_for(folder_of_run):
    settings = ModelSettings(run=str(folder_of_run), views="flips", decision="balanced")
    with pytest.raises(ValueError, match="no decision or sensitivity can be asked for: .* other views"):
        ServedModel("tiny", settings)


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"views": "flipz"}, "Did you mean flips"), ({"positive": "melanoma"}, "Received: 'melanoma'")],
)
def test_settings_that_do_not_fit_are_named(folder_of_run, changes, said):
    with pytest.raises(ValueError, match=said):
        ServedModel("tiny", ModelSettings(run=str(folder_of_run), **changes))


def test_without_its_own_images_a_run_is_not_calibrated(folder_of_run, monkeypatch, caplog):
    def missing(*_):
        raise FileNotFoundError("no release")

    monkeypatch.setattr(SavedRun, "validation_predictions", missing)
    found = ServedModel("tiny", ModelSettings(run=str(folder_of_run)))
    assert (found.card["temperature"], found.card["threshold"]) == (1.0, None)
    assert "no predictions of validation images" in found.card["calibration"]
    assert str(folder_of_run) not in json.dumps(found.card) and "no release" in caplog.text
    (answer,) = answers(found, [("a", image_bytes())])
    assert answer["prediction"]["target"] is None and 0 <= answer["prediction"]["score"] <= 1


def test_without_a_positive_class_there_is_neither_score_nor_target(
    served, own_images, folder_of_run, monkeypatch
):
    monkeypatch.setattr(served, "calibration", dataclasses.replace(served.calibration, positive=None))
    (answer,) = answers(served, own_images[:1])
    assert answer["prediction"].items() >= {"target": None, "score": None}.items()
    assert served.calibration.operating_points(SavedRun(folder_of_run).predictions) is None


def test_the_card_tells_what_was_measured(served, folder_of_run):
    saved, card = SavedRun(folder_of_run), served.card
    assert json.loads(json.dumps(card, allow_nan=False)) == card
    assert card["scores"] == saved.metrics["scores"] and card["leakage"] == saved.manifest["leakage"]
    assert np.sum(card["confusion"]) == len(saved.predictions) == card["n"]
    assert len(card["history"]["epoch"]) == 4 and card["origin"] == "synthetic"
    assert "drawn images" in card["notice"] and card["members"] == []
    for each in card["most_missed"]:
        row = card["confusion"][card["labels"].index(each["label"])]
        assert (
            each["n"] == sum(row) and each["missed"] == each["n"] - row[card["labels"].index(each["label"])]
        )
    worst = card["wrong_pairs"][0]
    wrong = np.array(card["confusion"]) - np.diag(np.diag(card["confusion"]))
    assert worst["n"] == wrong.max()


def test_the_card_tells_what_a_threshold_is_worth(served, folder_of_run):
    truth, probabilities, labels = evaluation.unpack_predictions(SavedRun(folder_of_run).predictions)
    scores = served.calibration.scores(probabilities, labels)
    points, is_it = served.card["operating_points"], truth == "mel"
    assert points["threshold"][0] == 0 and (points["sensitivity"][0], points["specificity"][0]) == (1, 0)
    for place in (3, 8, 15, 100):
        called = scores >= points["threshold"][place]
        assert points["sensitivity"][place] == pytest.approx(called[is_it].mean())
        assert points["specificity"][place] == pytest.approx(1 - called[~is_it].mean())


def test_an_overlay_is_drawn_for_the_label(served, own_images):
    _, content = own_images[0]
    found = {label: served.overlay(content, label) for label in ("mel", "nv")}
    sizes = {Image.open(io.BytesIO(png)).size for png in found.values()}
    assert sizes == {Image.open(io.BytesIO(content)).size} and found["mel"] != found["nv"]


def carried_out(recipe, folder):
    return ModelSettings(run=str(run(recipe, "smoke", folder=folder, verbose=0)))


def test_runs_that_need_more_than_an_image_are_refused(untrained, tmp_path):
    turned = dataclasses.replace(
        untrained, target=choose("rotation", angles=4), positive="0", balancing=choose("none")
    )
    with pytest.raises(ValueError, match="single images.*RotationPretext, The angles of turned images"):
        ServedModel("turned", carried_out(turned, tmp_path / "turned"))
    features = choose("logistic_regression", features="pooled")
    classified = dataclasses.replace(untrained, classifier=features)
    with pytest.raises(ValueError, match="FeatureClassifier, A scikit-learn classifier"):
        ServedModel("classified", carried_out(classified, tmp_path / "classified"))


def test_crops_are_served(untrained, tmp_path):
    recipe = dataclasses.replace(untrained, input=choose("multi_crop", count=4), crop_size=16)
    settings = carried_out(recipe, tmp_path / "crops")
    saved = SavedRun(tmp_path / "crops")
    found = ServedModel("crops", settings)
    row = saved.run_data().table.set_index("image_id").loc[saved.predictions["image_id"][0]]
    (answer,) = answers(found, [("a", Path(row["path"]).read_bytes())])
    expected = saved.predictions.iloc[0]
    assert answer["probabilities"]["nv"] == pytest.approx(expected["p_nv"], abs=1e-5)
    assert found.overlay(Path(row["path"]).read_bytes(), "mel").startswith(b"\x89PNG")


def test_a_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no run folder"):
        ServedModel("none", ModelSettings(run=str(tmp_path / "none")))


def test_two_stages_are_served(untrained, tmp_path, monkeypatch):
    gate, rest = (
        dataclasses.replace(
            untrained,
            name=f"skinkit/test/{name}",
            model=choose("small_cnn"),
            target=choose(target, label="nv"),
            positive=positive,
        )
        for name, target, positive in (("gate", "one_against_rest", "rest"), ("rest", "without", "mel"))
    )
    stages = choose("soft", gate=gate.name, rest=rest.name, label="nv")
    both = dataclasses.replace(untrained, name="skinkit/test/both", model=rest.model, stages=stages)
    monkeypatch.setattr(
        "skinkit.experiments.plan.find_recipe", {gate.name: gate, rest.name: rest}.__getitem__
    )
    folder = run(both, "smoke", out=tmp_path, verbose=0)
    saved, found = SavedRun(folder), ServedModel("both", ModelSettings(run=str(folder)))
    row = saved.run_data().table.set_index("image_id").loc[saved.predictions["image_id"][0]]
    (answer,) = answers(found, [("a", Path(row["path"]).read_bytes())])
    expected = saved.predictions.filter(like="p_").iloc[0].to_numpy()
    np.testing.assert_allclose([*answer["probabilities"].values()], expected, atol=1e-5)
    overlays = {found.overlay(Path(row["path"]).read_bytes(), label) for label in ("nv", "mel", "bcc")}
    assert len(overlays) == 3 and answer["prediction"]["positive"] == "mel"


def test_the_card_of_an_ensemble_lists_its_members_with_their_networks_and_views(
    untrained, tmp_path, monkeypatch
):
    flipped = dataclasses.replace(untrained, name="skinkit/test/flipped", tta=choose("flips"))
    other = dataclasses.replace(untrained, name="skinkit/test/other")
    both = ensemble(flipped, "skinkit/test/both", "Both", recipes=(flipped.name, other.name))
    known = {flipped.name: flipped, other.name: other}
    monkeypatch.setattr("skinkit.experiments.plan.find_recipe", known.__getitem__)
    card = ServedModel("both", ModelSettings(run=str(run(both, "smoke", out=tmp_path, verbose=0)))).card
    assert (card["views"], card["net_type"]) == ("flips, none", "small_cnn")
    assert card["members"] == [
        {"recipe": flipped.name, "fold": 0, "seed": 0, "net_type": "small_cnn", "views": "flips"},
        {"recipe": other.name, "fold": 0, "seed": 0, "net_type": "small_cnn", "views": "none"},
    ]


def test_the_demo_is_trained_into_its_own_folder_alone(tmp_path, monkeypatch):
    trained = []
    monkeypatch.setattr(process, "_train_demo", trained.append)
    load = process._loader({"demo": str(tmp_path / "demo"), "imports": [], "data_dir": None})
    for name in ("mistyped", "demo"):
        with pytest.raises(FileNotFoundError, match="There is no run folder"):
            load(name, ModelSettings(run=str(tmp_path / name)))
    assert trained == [tmp_path / "demo"]
