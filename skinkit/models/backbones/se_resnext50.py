"""SE-ResNeXt-50 (32x4d), flat, which keras.applications does not have."""

from functools import partial

from keras import layers

from skinkit.layers import BatchNormalization, GroupedConv2D
from skinkit.models.torch_weights import load_checkpoint
from skinkit.models.weights import layers_above

_GROUPS = 32
_REDUCTION = 16
# Planes, blocks, stride of the first block; a block has 2 x planes filters inside and 4 x planes outside.
_STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))


def se_resnext50(image, weights=None):
    """Returns the feature map of SE-ResNeXt-50 (Hu et al. 2018; Xie et al. 2017): 2,048 channels.

    The variant is `se_resnext50_32x4d` of the PyTorch package pretrainedmodels, which gessert2019
    uses (`legacy_seresnext50_32x4d` in timm): one 7 x 7 convolution first, squeeze-and-excitation with
    a reduction of 16 and biases, 1 x 1 convolutions in the shortcuts. With 1,000 classes it has
    27,559,896 parameters. Everything pads as PyTorch does, alike on both sides.

    Args:
        image: 4D symbolic tensor `(batch, height, width, 3)`; height and width may be `None`.
        weights: `None`, or the path of that package's checkpoint
            (`se_resnext50_32x4d-a260b3a4.pth`), which expects pixels scaled as `"imagenet"`.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: when the file is not a checkpoint of this network.

    Reference:
    - [Hu et al., 2018](https://arxiv.org/abs/1709.01507)
    """
    x = layers.ZeroPadding2D(3, name="layer0_pad")(image)
    x = _norm(_conv(x, "layer0_conv1", 64, kernel=7, stride=2), "layer0_bn1")
    x = layers.ReLU(name="layer0_relu1")(x)
    # PyTorch's `ceil_mode`: an even side gets one more row or column. After a ReLU zeros never win.
    x = layers.ZeroPadding2D(((0, 1), (0, 1)), name="layer0_pool_pad")(x)
    x = layers.MaxPooling2D(3, 2, name="layer0_pool")(x)
    for stage, (planes, blocks, stride) in enumerate(_STAGES, start=1):
        for block in range(blocks):
            x = _block(x, f"layer{stage}_{block}_", planes, stride if block == 0 else 1)
    if weights is not None:
        load_checkpoint(layers_above(image, x), weights, _torch_name, "SE-ResNeXt-50")
    return x


def _block(inputs, name, planes, stride):
    x = _norm(_conv(inputs, f"{name}conv1", 2 * planes), f"{name}bn1")
    x = layers.ReLU(name=f"{name}relu1")(x)
    x = layers.ZeroPadding2D(1, name=f"{name}pad2")(x)
    x = _norm(_conv(x, f"{name}conv2", 2 * planes, 3, stride, _GROUPS), f"{name}bn2")
    x = layers.ReLU(name=f"{name}relu2")(x)
    x = _norm(_conv(x, f"{name}conv3", 4 * planes), f"{name}bn3")
    x = _squeeze_and_excite(x, f"{name}se_")
    shortcut = inputs
    if stride > 1 or inputs.shape[-1] != 4 * planes:
        shortcut = _conv(inputs, f"{name}downsample_0", 4 * planes, stride=stride)
        shortcut = _norm(shortcut, f"{name}downsample_1")
    return layers.ReLU(name=f"{name}out")(layers.Add(name=f"{name}add")([x, shortcut]))


def _squeeze_and_excite(x, name):
    channels = x.shape[-1]
    gates = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}pool")(x)
    gates = layers.Conv2D(channels // _REDUCTION, 1, activation="relu", name=f"{name}fc1")(gates)
    gates = layers.Conv2D(channels, 1, activation="sigmoid", name=f"{name}fc2")(gates)
    return layers.Multiply(name=f"{name}scale")([x, gates])


def _conv(x, name, filters, kernel=1, stride=1, groups=1):
    convolution = partial(GroupedConv2D, groups=groups) if groups > 1 else layers.Conv2D
    return convolution(
        filters,
        kernel,
        stride,
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )(x)


def _norm(x, name):
    # PyTorch's momentum of 0.1 is 0.9 here.
    return BatchNormalization(epsilon=1e-5, momentum=0.9, name=name)(x)


def _torch_name(name):
    return name.replace("_", ".").replace(".se.", ".se_module.")
