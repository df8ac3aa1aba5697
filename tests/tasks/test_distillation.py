"""A student and the networks that it learns from."""

import dataclasses

import numpy as np
import pytest

from skinkit import tasks
from skinkit.experiments import run
from skinkit.experiments.plan import Plan
from skinkit.experiments.run_data import build_run_data
from skinkit.experiments.run_folder import SavedRun
from skinkit.papers import Phase, Recipe, choose

# Untrained, which takes no time, and answers all the same.
TEACHER = Recipe(
    name="skinkit/test/teacher",
    title="The smallest teacher",
    published="",
    image_size=(32, 32),
    subset=120,
    model=choose("small_cnn"),
    model_size={"width": 4},
    balancing=choose("class_weights", power=0.5),
    augmentation={"flip_left_right": 0.5},
    phases=(),
    selection="last",
)
LEARNS = {"phases": (Phase(1, choose("adam", learning_rate=2e-3)),)}
OTHER = dataclasses.replace(TEACHER, name="skinkit/test/other", model_size={"width": 6})


def taught_by(*teachers, share=0.25, **changes):
    teaching = choose("distillation", teachers=teachers, share=share)
    fields = {"name": "skinkit/test/student", "teaching": teaching, **LEARNS, **changes}
    return dataclasses.replace(TEACHER, **fields)


STUDENT = taught_by(TEACHER.name, OTHER.name)


@pytest.fixture(scope="module", autouse=True)
def known():
    """The recipes that may be named as teachers."""
    with pytest.MonkeyPatch.context() as patch:
        found = {TEACHER.name: TEACHER, OTHER.name: OTHER}
        patch.setattr("skinkit.experiments.plan.find_recipe", found.__getitem__)
        yield found


@pytest.fixture(scope="module")
def student(tmp_path_factory):
    return SavedRun(run(STUDENT, "smoke", out=tmp_path_factory.mktemp("runs"), verbose=0))


def prepared(recipe, run_data, teachers):
    """The first batch of a recipe's training."""
    task = tasks.of(recipe)
    model = task.model(needed=teachers)
    return next(iter(task.prepare(model, run_data, 0, None).batches(0)[0]))


def test_targets_are_labels_and_the_mean_answers_to_the_same_images(student):
    run_data = build_run_data(STUDENT.resolve("smoke"), "smoke")
    out = student.folder.parents[3]
    networks = [SavedRun(out / r.name / student.folder.name).load_model() for r in (TEACHER, OTHER)]
    plain = prepared(TEACHER, run_data, ())
    images, targets, weights = map(np.asarray, prepared(STUDENT, run_data, networks))
    np.testing.assert_array_equal(images, plain[0])
    np.testing.assert_array_equal(weights, plain[2])
    answers = np.mean([network.predict(images, verbose=0) for network in networks], axis=0)
    np.testing.assert_allclose(targets, 0.75 * plain[1] + 0.25 * answers, atol=1e-5)
    assert np.ptp(answers, axis=0).max() > 1e-4


def test_a_student_begins_with_weights_of_its_own(student):
    task = tasks.of(STUDENT.resolve("smoke"))
    teacher = tasks.of(TEACHER.resolve("smoke")).model()
    teacher.set_weights([np.full_like(weights, 0.5) for weights in teacher.get_weights()])
    begun = task.model(needed=[teacher])
    assert not any(np.all(weights == 0.5) for weights in begun.get_weights())
    assert len(student.history) == 1 and np.isfinite(student.history["loss"]).all()


def test_teachers_come_first_and_decide_the_key(student, known, monkeypatch):
    said = [each["recipe"] for each in student.manifest["built_on"]]
    assert said == [TEACHER.name, OTHER.name]
    plan = Plan(STUDENT, "smoke", "corrected", 0, 0)
    before = plan.key_of(None, "", "")
    monkeypatch.setitem(known, OTHER.name, dataclasses.replace(OTHER, batch_size=16))
    assert plan.key_of(None, "", "") != before


def test_a_student_is_asked_without_its_teachers(student):
    task, model = student.load_task()
    rows = student.run_data().rows("test")
    expected = student.predictions.filter(like="p_").to_numpy()
    np.testing.assert_allclose(task.predictor(model)(rows), expected, atol=1e-6)


LARGER = dataclasses.replace(TEACHER, image_size=(40, 32))
NEVI = dataclasses.replace(TEACHER, target=choose("one_against_rest", label="nv"), positive="rest")
TURNED = dataclasses.replace(
    TEACHER,
    target=choose("rotation", joint=True),
    balancing=choose("none"),
)
FEATURES = dataclasses.replace(
    TEACHER, classifier=choose("logistic_regression", features="pooled"), phases=(), selection="last"
)


@pytest.mark.parametrize(
    ("student", "teacher", "message"),
    [
        (taught_by(), TEACHER, r"one teacher or more, each once. Received: teachers=\(\)"),
        (taught_by(TEACHER.name, share=1.5), TEACHER, "`share` must be a number from 0 to 1"),
        (
            STUDENT.with_("own/a/b", teaching=choose("distilation", teachers=(TEACHER.name,))),
            TEACHER,
            "Did you mean distillation",
        ),
        (STUDENT.with_("own/a/b", teaching=choose("distillation")), TEACHER, "needs the option teachers"),
        (
            STUDENT.with_("own/a/b", teaching=choose("distillation", teachers=TEACHER.name)),
            TEACHER,
            r"Pass teachers=\('skinkit/test/teacher',\)",
        ),
        (
            taught_by(TEACHER.name),
            dataclasses.replace(TEACHER, start_from=TEACHER.name),
            "teacher needs itself: .*student > .*teacher > .*teacher$",
        ),
        (taught_by(TEACHER.name, TEACHER.name), TEACHER, "one teacher or more, each once"),
        (
            taught_by(TEACHER.name, classifier=choose("logistic_regression", features="pooled")),
            LARGER,
            "A student and its teachers must agree in image_size",
        ),
        (taught_by(TEACHER.name), TURNED, "by a network. Received: .*RotationBesideClass"),
        (taught_by(TEACHER.name), LARGER, r"agree in image_size. Received: \(32, 32\), and \(40, 32\) in"),
        (taught_by(TEACHER.name), FEATURES, "by a network. Received: .*FeatureClassifier"),
        (taught_by(TEACHER.name), NEVI, "agree in target. Received: None, and .*one_against_rest.* in"),
        (taught_by(TEACHER.name, start_from=OTHER.name), TEACHER, "that come first are teachers"),
        (
            taught_by(TEACHER.name, input=choose("multi_crop", count=4), crop_size=16),
            TEACHER,
            "`teaching` belongs to networks that classify one image",
        ),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_trained(
    student, teacher, message, known, monkeypatch, tmp_path
):
    monkeypatch.setitem(known, TEACHER.name, teacher)
    with pytest.raises(ValueError, match=message):
        run(student, "smoke", out=tmp_path, verbose=0)
    assert not list(tmp_path.iterdir())
