import dataclasses
import json

import pytest

from skinkit.data import CATALOG
from skinkit.experiments import run
from skinkit.experiments.plan import Plan
from skinkit.experiments.plan_data import plan_data
from skinkit.experiments.recipe_check import REGISTRIES, check_recipe
from skinkit.experiments.run_data import build_run_data
from skinkit.papers import PROFILES, Phase, Recipe, choose, recipes
from skinkit.papers.choice import choice_fields

# One worker makes the run that these tests share.
pytestmark = pytest.mark.xdist_group("tiny-run")


def phase(optimiser=None, schedule=None, **options):
    optimiser = optimiser or choose("adam", learning_rate=1e-3)
    return (Phase(1, optimiser, schedule or choose("constant"), **options),)


WRONG = {
    "positive": ({"positive": "melanoma"}, "Classes that may be `positive` are mel, nv.*'melanoma'"),
    "class map": ({"classes": "isic2081"}, "Class maps are .*mean .*isic2018"),
    "target": ({"target": choose("witout", label="nv")}, "Targets are .*mean without"),
    "class of a target": ({"target": choose("without", label="nev")}, "Classes are .*'nev'.*mean nv"),
    "target without a class": ({"target": choose("without")}, "needs the option label"),
    "positive of a gate": (
        {"target": choose("one_against_rest", label="nv")},
        "`positive` are nv, rest. Received: 'mel'",
    ),
    "turns beside an angle": (
        {
            "target": choose("rotation"),
            "positive": "0",
            "balancing": choose("none"),
            "image_size": (32, 32),
            "augmentation": {"rotation": 30.0},
        },
        "turn by 30 degrees or more makes one of the 6 angles",
    ),
    "loss weights beside pixels": (
        {
            "target": choose("pixels", joint=True),
            "balancing": choose("class_weights", power=0.5),
            "image_size": (32, 32),
            "model": choose("restoration_classifier", widths=(4, 8)),
        },
        "cannot be weighted. Received: balancing=class_weights",
    ),
    "mixing": ({"mixing": choose("mixupp", weight=0.7)}, "Mixings are mixup.*mean mixup"),
    "weight of a mixing": ({"mixing": choose("mixup", weight=1.5)}, "`weight` must be .* from 0 to 1"),
    "alpha of a mixing": ({"mixing": choose("mixup", alpha=0.0)}, "above 0. Received: .*alpha=0.0"),
    "two weights of a mixing": ({"mixing": choose("mixup", alpha=0.2, weight=0.7)}, "needs either"),
    "mixing beside loss weights": ({"mixing": choose("mixup", weight=0.7)}, "`alpha` by class"),
    "mixing of autoencoders": (
        {
            "mixing": choose("mixup", weight=0.7),
            "model": choose("segnet_autoencoder"),
            "classifier": choose("extra_trees", features="bottleneck_mean"),
            "balancing": choose("none"),
        },
        "`mixing` belongs to networks that learn the label",
    ),
    "mixing of patients": (
        {
            "mixing": choose("mixup", weight=0.7),
            "balancing": choose("none"),
            "model": choose("patient_network", backbone="small_cnn", context="mean"),
        },
        "`mixing` belongs to networks that learn the label",
    ),
    "alpha of other classes": ({"loss": choose("focal", alpha=[0.5, 1.0])}, "each of the 7 classes"),
    "alpha": ({"loss": choose("focal", alpha="inverse")}, "`alpha` must be 'inverse_frequency'"),
    "option of a mixing": ({"mixing": choose("mixup", wieght=0.7)}, "mean weight"),
    "split": ({"split": choose("gesert2019_split")}, "Splits are .*mean gessert2019_split"),
    "function that is not a split": ({"split": choose("load")}, "Splits are .*'load'"),
    "option of a split": ({"split": choose("stratified_group_split", groop="lesion")}, "mean group"),
    "grouping": ({"split": choose("stratified_group_split", group="leson")}, "mean lesion"),
    "model": ({"model": choose("small_cn")}, "Models are .*mean small_cnn"),
    "option of a model": ({"model": choose("small_cnn", soft_atention=True)}, "mean soft_attention"),
    "option of its backbone": ({"model": choose("small_cnn", widht=8)}, "mean width"),
    "dropouts": ({"model": choose("small_cnn", dropout_sample=5)}, "mean dropout_samples"),
    "backbone": (
        {
            "model": choose("crop_classifier", backbone="densnet121"),
            "input": choose("multi_crop", count=4),
            "crop_size": 16,
        },
        "Backbones are .*mean densenet121",
    ),
    "size of a model": ({"model_size": {"wdth": 4}}, "mean width"),
    "loss": ({"loss": choose("focl")}, "Losses are .*mean focal"),
    "option of a loss": ({"loss": choose("focal", gama=1.0)}, "mean gamma"),
    "optimiser": ({"phases": phase(choose("adamm", learning_rate=1e-3))}, "Optimisers are .*mean adam"),
    "option of an optimiser": (
        {"phases": phase(choose("sgd", learning_rate=1e-3, momentun=0.5))},
        "mean momentum",
    ),
    "average of an optimiser": (
        {"phases": phase(choose("adam", learning_rate=1e-3, use_ema=True, ema_momentum=1.5))},
        "`ema_momentum` must be a number from 0 to 1. Received: ema_momentum=1.5",
    ),
    "no learning rate": ({"phases": phase(choose("adam"))}, "needs a learning_rate"),
    "schedule": ({"phases": phase(schedule=choose("cosin"))}, "Schedules are .*mean cosine"),
    "option of a schedule": (
        {"phases": phase(schedule=choose("step", factor=0.1))},
        "needs the option after",
    ),
    "option of a plateau": (
        {"phases": phase(schedule=choose("plateau", factor=0.5))},
        "needs the option stop",
    ),
    "restarts": (
        {"phases": phase(schedule=choose("cosine_restart", cycles=1))},
        "Schedules are .*mean cosine_restarts",
    ),
    "option of restarts": ({"phases": phase(schedule=choose("cosine_restarts", cycle=1))}, "mean cycles"),
    "more restarts than epochs": (
        {"phases": phase(schedule=choose("cosine_restarts", cycles=2))},
        "`cycles` are as many as the epochs.*cycles=2, .*epochs=1",
    ),
    "more restarts than parts": (
        {"phases": phase(schedule=choose("cosine_restarts", cycles=40, parts=20))},
        "cycles=40, parts=20",
    ),
    "warm-up of a schedule": ({"phases": phase(schedule=choose("cosine", warmup=1.0))}, "warmup=1.0"),
    "factor of a plateau": (
        {"phases": phase(schedule=choose("plateau", factor=2.0, patience=1, stop=2))},
        "factor between 0 and 1",
    ),
    "patience with the last epoch": (
        {"phases": phase(patience=2), "selection": "last"},
        "needs selection='best'.*patience=2, selection='last'",
    ),
    "patience without a look": (
        {"phases": 4 * phase(patience=2), "selection_every": 0.5},
        "a look after each epoch.*selection_every=0.5",
    ),
    "patience beside a plateau": (
        {"phases": phase(schedule=choose("plateau", factor=0.5, patience=1, stop=2), patience=2)},
        "has a `stop` of its own",
    ),
    "balancing": ({"balancing": choose("oversample")}, "Balancings are .*mean oversampling"),
    "option of a balancing": ({"balancing": choose("class_weights", powr=1.0)}, "mean power"),
    "length of an epoch": ({"balancing": choose("oversampling", length="equall")}, "mean equal"),
    "class of a weight": ({"balancing": choose("oversampling", weights={"mell": 2.0})}, "mean mel"),
    "mode of the factors": ({"balancing": choose("diagnosis_weights", mode="bening")}, "mean benign"),
    "input": ({"input": choose("singlecrop"), "crop_size": 16}, "Inputs are .*mean single_crop"),
    "option of an input": (
        {"input": choose("multi_crop", counts=4), "crop_size": 16},
        "Options of multi_crop are count, evaluation.*mean count",
    ),
    "views": ({"tta": choose("flip")}, "Views are .*mean flips"),
    "mean of views": ({"tta": choose("flips", of="logit")}, "mean logits"),
    "rescoring": ({"rescoring": choose("patient_z_scores")}, "mean patient_z_score"),
    "classifier": ({"classifier": choose("extra_tree", features="pooled")}, "mean extra_trees"),
    "features": ({"classifier": choose("extra_trees", features="pool")}, "mean pooled"),
    "no features": ({"classifier": choose("extra_trees")}, "Values of `features` are .*None"),
    "option of a classifier": (
        {"classifier": choose("extra_trees", features="pooled", n_estimatorz=5)},
        "mean n_estimators",
    ),
    "augmentation": ({"augmentation": {"rotate": 10}}, "mean rotation"),
    "drawing": ({"drawing": {"layuot": "isic2020"}}, "mean layout"),
    "offline augmentation": ({"offline": choose("augment_ofline")}, "mean augment_offline"),
    "external set": ({"external": choose("isic2091")}, "mean isic2019"),
    "overlap": ({"external": choose("isic2019", overlap="kep")}, "mean keep"),
    "part": ({"selection_part": "validaton"}, "Parts are .*mean validation"),
    "monitor": ({"monitor": "macro_recal"}, "Monitors are .*mean macro_recall"),
    "monitor of a class": ({"monitor": "auc:mell"}, "Monitors are .*mean auc:mel"),
    "scaling": ({"scaling": "imagnet"}, "mean imagenet"),
    "score of a tolerance": ({"tolerance": {"macro_recal": 0.1}}, "mean macro_recall"),
}


@pytest.mark.parametrize(("changes", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_name_is_refused_before_anything_is_written(tiny, tmp_path, changes, message):
    with pytest.raises(ValueError, match=f"^{tiny.name}: .*{message}") as error:
        run(dataclasses.replace(tiny, **changes), profile="smoke", out=tmp_path)
    assert str(error.value).count(f"{tiny.name}: ") == 1
    assert not any(tmp_path.iterdir())


def fractions(**shares):
    return {"split": choose("stratified_group_split", fractions=shares)}


def rate(value):
    return {"phases": phase(choose("adam", learning_rate=value))}


# Each: what differs from the recipe, as a function (some cannot be made at all), and the message.
IMPOSSIBLE = {
    "absolute": (lambda: {"name": "/etc/x"}, "name='/etc/x'"),
    "above": (lambda: {"name": "../../x"}, r"name='\.\./\.\./x'"),
    "empty part": (lambda: {"name": "a//b"}, "name='a//b'"),
    "hidden part": (lambda: {"name": "a/.b/c"}, "name='a/.b/c'"),
    "line break": (lambda: {"name": "a/b/c\n"}, "name="),
    "no name": (lambda: {"name": None}, "`name` must be a text.*name=None"),
    "misspelt part": (
        lambda: fractions(trian=0.7, validation=0.15, test=0.15),
        "`fractions`: Parts are .*'trian'.*mean train",
    ),
    "sum": (lambda: fractions(train=0.7, validation=0.6, test=0.15), "`fractions` .* sum to 1.*0.6"),
    "no test part": (lambda: fractions(train=0.7, validation=0.3), "`fractions`: Parts are .*'test'"),
    "no validation part": (
        lambda: fractions(train=0.7, test=0.3),
        "`fractions`: Parts are train, test.*'validation'",
    ),
    "fractions": (
        lambda: {"split": choose("stratified_group_split", fractions="most")},
        "`fractions` must be a mapping.*'most'",
    ),
    "folds": (lambda: {"split": choose("hernandez2020_split", folds="x")}, "`folds` must be .*folds='x'"),
    "split None": (lambda: {"split": None}, "`split` must be a Choice.*split=None"),
    "split text": (lambda: {"split": "gessert2019_split"}, "`split` must be a Choice.*'gessert2019_split'"),
    "option of attention": (
        lambda: {"model": choose("small_cnn", soft_attention={"hads": 3})},
        "`soft_attention` .*'hads'.*mean heads",
    ),
    "kernel": (
        lambda: {"model": choose("small_cnn", soft_attention={"kernel": "relased"})},
        "`kernel` .*'relased'",
    ),
    "option of context": (
        lambda: {
            "model": choose("patient_network", backbone="small_cnn", context_options={"varant": "text"})
        },
        "`context_options` .*'varant'.*mean variant",
    ),
    "attention": (
        lambda: {"model": choose("koefler_cnn", attention="sofft")},
        "`attention` must be .*'sofft'.*mean soft",
    ),
    "dropout": (lambda: {"model": choose("small_cnn", dropout=2)}, "`dropout` must be .*dropout=2"),
    **{
        f"{option} 1": (
            lambda name=name, option=option: {"model": choose(name, **{option: 1.0})},
            f"`{option}` must be a number from 0 to below 1. Received: {option}=1.0",
        )
        for name, option in (
            ("small_cnn", "dropout"),
            ("crop_classifier", "patch_dropout"),
            ("efficientnet_lite0", "drop_connect"),
        )
    },
    "dropouts": (lambda: {"model": choose("small_cnn", dropout_samples=0)}, "`dropout_samples` must be .*=0"),
    "parts": (
        lambda: {"phases": phase(schedule=choose("cosine", parts=1))},
        "`parts` must be a whole number from 2 or None.*parts=1",
    ),
    "patience": (lambda: {"phases": phase(patience=0)}, "`patience` must be .*patience=0"),
    "layout": (lambda: {"drawing": {"layout": "ham1000"}}, "`layout` must be .*'ham1000'.*mean ham10000"),
    "size": (lambda: {"drawing": {"size": (8, 64)}}, r"`size` must be .*size=\(8, 64\)"),
    "context": (lambda: {"drawing": {"context": 2}}, "`context` must be .*context=2"),
    **{
        f"{field} {value}": (
            lambda field=field, value=value: {field: value},
            f"`{field}` must be .*{field}='?{value}",
        )
        for field, values in {
            "subset": (-5, 0, 1),
            "batch_size": (0, "32", 1.5, True),
            "image_size": (32,),
            "refresh_steps": (-1, 0),
            "selection_every": (-1, "x"),
            "selection": ("bst",),
            "revision": (-1,),
            "monitor": (None,),
            "colour_constancy": ("no",),
        }.items()
        for value in values
    },
    "tolerance": (lambda: {"tolerance": {"macro_recall": 2}}, "`tolerance` must be .*2"),
    "brightness": (lambda: {"augmentation": {"brightness": "lots"}}, "`brightness` must be .*'lots'"),
    "distortions": (
        lambda: {"augmentation": {"distortions": "described"}, "image_size": (24, 24)},
        "at least 32",
    ),
    "crops": (
        lambda: {"input": choose("multi_crop", count="x"), "crop_size": 16},
        "`count` must be .*count='x'",
    ),
    "smoothing 1": (
        lambda: {"loss": choose("focal", label_smoothing=1.0)},
        "`label_smoothing` must be .* to below 1",
    ),
    "smoothing": (
        lambda: {"loss": choose("focal", label_smoothing="x")},
        "`label_smoothing` must be .*'x'",
    ),
    "images of a patient": (
        lambda: {"balancing": choose("contextual", images_per_patient="a")},
        "`images_per_patient` must be .*'a'",
    ),
    "rate text": (lambda: rate("x"), "`learning_rate` must be .*'x'"),
    "rate below 0": (lambda: rate(-1), "`learning_rate` must be .*-1"),
    "epochs 1.5": (lambda: {"phases": (Phase(1.5, choose("adam")),)}, "`epochs` must be .*1.5"),
    "epochs -3": (lambda: {"phases": (Phase(-3, choose("adam")),)}, "`epochs` must be .*-3"),
    "epochs 0": (lambda: {"phases": (Phase(0, choose("adam")),)}, "`epochs` must be .*0"),
    "epochs of a profile": (lambda: {"profiles": {"smoke": {"epochs": 1}}}, "2 phases.*epochs=1"),
    "optimiser": (lambda: {"phases": (Phase(1, "adam"),)}, "`optimiser` must be a Choice.*'adam'"),
    "phases": (lambda: {"phases": Phase(1, choose("adam"))}, "`phases` must be .*Phase"),
}


@pytest.mark.parametrize(("changes", "message"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_value_that_cannot_be_right_is_refused_too(tiny, tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        run(dataclasses.replace(tiny, **changes()), profile="smoke", out=tmp_path / "runs")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    "argument", [{"fold": 1.5}, {"fold": "0"}, {"seed": -1}, {"seed": "a"}, {"seed": 2**32}, {"seed": True}]
)
def test_a_fold_and_a_seed_are_whole_numbers(tiny, tmp_path, argument):
    ((name, value),) = argument.items()
    with pytest.raises(ValueError, match=f"`{name}` must be a whole number.*{name}={value!r}"):
        run(tiny, profile="smoke", out=tmp_path, **argument)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "hint"), [("ham1000", "mean ham10000"), ("nothere.csv", "nothere.csv")])
def test_drawn_images_have_the_name_of_a_data_set_too(tiny, tmp_path, name, hint):
    with pytest.raises(FileNotFoundError, match=hint):
        run(
            dataclasses.replace(tiny, dataset=name), profile="smoke", out=tmp_path, data_dir=tmp_path / "data"
        )
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("changes", "fold", "message"),
    [
        ({"split": choose("gessert2019_split")}, 3, r"gessert2019_split\(\) has the folds 0 to 2.*fold=3"),
        ({"split": choose("hernandez2020_split", folds=4)}, 4, "has the folds 0 to 3.*fold=4"),
        ({"split": choose("derm7pt_split")}, 1, "has the folds 0 to 0.*fold=1"),
        ({}, -1, "made again for each fold from 0.*fold=-1"),
        ({"start_from": "skinkit/demo/ham1000"}, 0, "mean skinkit/demo/ham10000"),
    ],
)
def test_a_fold_or_a_start_that_is_not_there_is_refused_too(tiny, tmp_path, changes, fold, message):
    with pytest.raises(ValueError, match=message):
        run(dataclasses.replace(tiny, **changes), profile="smoke", fold=fold, out=tmp_path)
    assert not any(tmp_path.iterdir())


def test_images_and_weights_that_are_not_there_leave_no_folder(tiny, tmp_path):
    with pytest.raises(FileNotFoundError, match="Did you mean ham10000"):
        run(dataclasses.replace(tiny, dataset="ham1000"), out=tmp_path, data_dir=tmp_path / "releases")
    with pytest.raises(FileNotFoundError, match="No file of weights at imagenett.*mean imagenet"):
        run(tiny, profile="smoke", out=tmp_path, weights="imagenett")
    assert not any(tmp_path.iterdir())


def test_every_choice_has_one_registry():
    assert {*choice_fields(Recipe), *choice_fields(Phase)} == {*REGISTRIES, "model"}


def test_every_name_in_every_recipe_is_known():
    known = {recipe.name for recipe in recipes()}
    for recipe in recipes():
        for protocol in recipe.known_protocols:
            for profile in PROFILES:
                resolved = recipe.resolve(profile, protocol)
                plan = Plan(recipe, profile, protocol, 0, 0)
                check_recipe(resolved, [need.resolved for need in plan.handed])
                assert resolved.dataset in {*CATALOG, "synthetic"}
                assert known.issuperset(need.recipe.name for need in plan.needs)


def test_no_corrected_recipe_is_leaky_on_drawn_images():
    """What a split of a document keeps apart, drawn images must have apart, too: their patients."""
    tried = set()
    for recipe in (recipe for recipe in recipes() if "corrected" in recipe.known_protocols):
        plan = Plan(recipe, "smoke", "corrected", 0, 0)
        fields = ("dataset", "split", "offline", "external", "subset", "classes", "test_part", "drawing")
        fields = (*fields, "members", "out_of_fold")
        said = json.dumps([str(getattr(plan.resolved, name)) for name in fields])
        if said not in tried:
            tried.add(said)
            assert not (plan_data(plan).stamp or "").startswith("LEAKY"), recipe.name


def test_another_fold_of_a_split_without_folds_says_that_it_is_another_draw(tiny):
    first, second = (build_run_data(tiny, "smoke", fold=fold).split for fold in (0, 2))
    assert "made with seed" not in first.note
    assert second.note.endswith("Split made with seed 2.")
    assert second.seed == 2 and first.hash != second.hash
    folds = dataclasses.replace(tiny, split=choose("gessert2019_split"))
    assert "made with seed" not in build_run_data(folds, "smoke", fold=2).split.note
