"""ResNet-18, flat, which keras.applications does not have."""

from keras import initializers, layers

from skinkit.layers import BatchNormalization
from skinkit.models.torch_weights import load_checkpoint
from skinkit.models.weights import layers_above

# Filters of the two blocks of each stage.
_STAGES = (64, 128, 256, 512)


def resnet18(image, weights=None):
    """Returns the feature map of ResNet-18 (He et al. 2016): 512 channels, a 32nd of the image in each side.

    It is the network of torchvision, which bermeo2023 trains: two 3 x 3 convolutions a block, 1 x 1
    convolutions in the shortcuts that halve the map, and padding as PyTorch does it, alike on both sides.
    With the classifier of 8 classes it has 11,180,616 parameters that are trained; Keras' `count_params` adds
    9,600 moving statistics.

    Args:
        image: 4D symbolic tensor `(batch, height, width, 3)`; height and width may be `None`.
        weights: `None`, or the path of torchvision's checkpoint (`resnet18-f37072fd.pth`) or one of its
            layout, which expects pixels scaled as `"imagenet"`.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: when the file is not a checkpoint of this network.

    Reference:
    - [He et al., 2016](https://arxiv.org/abs/1512.03385)
    """
    x = layers.ZeroPadding2D(3, name="conv1_pad")(image)
    x = _norm(_conv(x, "conv1", 64, kernel=7, stride=2), "bn1")
    x = layers.ReLU(name="relu")(x)
    # PyTorch pads with minus infinity. After a ReLU zeros never win either.
    x = layers.ZeroPadding2D(1, name="maxpool_pad")(x)
    x = layers.MaxPooling2D(3, 2, name="maxpool")(x)
    for stage, filters in enumerate(_STAGES, start=1):
        for block in range(2):
            x = _block(x, f"layer{stage}_{block}_", filters, 2 if stage > 1 and block == 0 else 1)
    if weights is not None:
        load_checkpoint(layers_above(image, x), weights, _torch_name, "ResNet-18")
    return x


def _block(inputs, name, filters, stride):
    x = layers.ZeroPadding2D(1, name=f"{name}pad1")(inputs)
    x = _norm(_conv(x, f"{name}conv1", filters, 3, stride), f"{name}bn1")
    x = layers.ReLU(name=f"{name}relu1")(x)
    x = layers.ZeroPadding2D(1, name=f"{name}pad2")(x)
    x = _norm(_conv(x, f"{name}conv2", filters, 3), f"{name}bn2")
    shortcut = inputs
    if stride > 1:
        shortcut = _conv(inputs, f"{name}downsample_0", filters, stride=stride)
        shortcut = _norm(shortcut, f"{name}downsample_1")
    return layers.ReLU(name=f"{name}out")(layers.Add(name=f"{name}add")([x, shortcut]))


def _conv(x, name, filters, kernel=1, stride=1):
    # As torchvision initialises them (He et al. 2015).
    random = initializers.VarianceScaling(2.0, mode="fan_out", distribution="untruncated_normal")
    return layers.Conv2D(filters, kernel, stride, use_bias=False, kernel_initializer=random, name=name)(x)


def _norm(x, name):
    # PyTorch's momentum of 0.1 is 0.9 here.
    return BatchNormalization(epsilon=1e-5, momentum=0.9, name=name)(x)


def _torch_name(name):
    return name.replace("_", ".")
