"""Names of one's own: taken ones, those of two modules, and functions that do not fit."""

import keras
import pytest

from skinkit import data, layers, models, papers, training
from skinkit.registration import Place, import_modules, register

pytestmark = pytest.mark.usefixtures("registries")


@pytest.mark.parametrize(
    "register_taken",
    [
        lambda: training.register_loss("focal")(len),
        lambda: data.register_split("koefler2023_split")(len),
        lambda: data.register_classes("isic2018", {"mel": "Melanoma"}),
        lambda: layers.register_layer("random_map")(keras.layers.Layer),
        lambda: models.register_model("vgg16")(lambda input_shape, classes, weights: None),
        lambda: models.register_backbone("vgg16")(len),
        lambda: papers.register_recipe(papers.recipe("skinkit/demo/synthetic")),
    ],
)
def test_the_names_of_the_kit_stay(register_taken):
    with pytest.raises(ValueError, match="skinkit has one called .* already. Choose another name"):
        register_taken()


def test_a_module_may_replace_its_own_names_and_no_others():
    known = {}
    register("Things", known, "mine", 1, Place("my_first", 1))
    register("Things", known, "mine", 2, Place("my_first", 5))
    with pytest.raises(ValueError, match="Things: my_first has one called 'mine' already"):
        register("Things", known, "mine", 3, Place("my_second", 1))
    assert known == {"mine": 2}


def test_a_network_of_other_parameters_is_refused():
    with pytest.raises(
        ValueError, match="begin with input_shape, classes, weights. Received: shape, classes"
    ):
        models.register_model("odd")(lambda shape, classes: None)


def test_a_network_with_other_outputs_is_refused():
    @models.register_model("odd")
    def odd(input_shape, classes, weights=None):
        image = keras.Input(input_shape)
        return keras.Model(image, keras.layers.GlobalAveragePooling2D()(image))

    with pytest.raises(ValueError, match="odd must be .* 7 class probabilities. Received: .*3"):
        models.build("odd", (8, 8, 3), 7)


def test_a_layer_that_returns_no_map_is_refused():
    layers.register_layer("flat")(keras.layers.Flatten)
    with pytest.raises(ValueError, match="'flat' must return a feature map .* Received: shape"):
        models.build("small_cnn", (32, 32, 3), 7, layer="flat")


def test_an_inserted_layer_trains_with_the_head_and_grad_cam_looks_below_it():
    model = models.build("small_cnn", (32, 32, 3), 7, layer="random_map", layer_options={"heads": 2})
    assert models.feature_layer(model) == "relu6"
    assert models.head_layers(model)[0] == "inserted"


def test_labels_of_ones_own_are_lower_case():
    with pytest.raises(ValueError, match="lower-case words. Received: 'Mel'"):
        data.register_classes("clinic", {"Mel": "Melanoma"})


def test_with_changes_what_protocols_and_profiles_say():
    base = papers.recipe("koefler2023/table4a/cnn")
    own = base.with_(
        "own/a/b",
        model=papers.choose("small_cnn"),
        image_size=(40, 40),
        split=papers.choose("file", path="a"),
    )
    for profile in ("smoke", "full"):
        for protocol in own.known_protocols:
            found = own.resolve(profile, protocol)
            assert (found.model.name, found.image_size, found.split.name) == ("small_cnn", (40, 40), "file")
            assert found.model_size == {} and found.published_row == base.name
    assert own.resolve("smoke").phases[0].epochs == base.resolve("smoke").phases[0].epochs
    assert "koefler2023/table4a/cnn with other model, image_size, split" in own.not_comparable
    with pytest.raises(ValueError, match="Unknown field of a recipe .*mean loss"):
        base.with_("own/a/b", los=papers.choose("focal"))


def test_a_module_that_lacks_another_one_says_which(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_half.py").write_text("import my_missing_half\n")
    with pytest.raises(ValueError, match="There is no module my_missing_half, which my_half imports"):
        import_modules(["my_half"])
