"""Training steps of PyTorch, for three networks that skinkit has too.

By hand only: neither the kit nor its tests need PyTorch. Both frameworks work in one process, each with as
many threads as there are cores, which sleep from a few milliseconds after its step on.
"""

import numpy as np
import timm
import torch
from torch import nn


def training_step(name, shape, batch, classes, tuned=False):
    """A function that trains a network on one batch, with Adam and cross-entropy.

    Args:
        name: String, `resnet50`, `efficientnet_lite0` or `koefler_cnn`.
        shape: `(height, width, channels)` of an image.
        batch: Integer, number of images.
        classes: Integer, number of classes.
        tuned: Whether to take what PyTorch advises for processors and does not do by default: pixels whose
            channels lie together, and an Adam of one operation.
    """
    from skinkit.experiments.environment import cpu_cores

    torch.set_num_threads(cpu_cores())
    torch.manual_seed(0)
    layout = torch.channels_last if tuned else torch.contiguous_format
    model = NETWORKS[name](classes).to(memory_format=layout).train()
    adam = torch.optim.Adam(model.parameters(), 1e-4, fused=tuned)
    random = np.random.default_rng(0)
    pixels = torch.from_numpy(random.random((batch, *shape), dtype="float32")).permute(0, 3, 1, 2)
    pixels = pixels.contiguous(memory_format=layout)
    labels = torch.from_numpy(random.integers(0, classes, batch))

    def step():
        adam.zero_grad()
        loss = nn.functional.cross_entropy(model(pixels), labels)
        loss.backward()
        adam.step()
        return loss.item()

    return step


def resnet50(classes):
    """ResNet-50 with its strides where Keras has them: in the first convolution of a block."""
    model = timm.create_model("resnet50", num_classes=classes, drop_rate=0.2)
    for block in [*model.layer2[:1], *model.layer3[:1], *model.layer4[:1]]:
        block.conv1.stride, block.conv2.stride = block.conv2.stride, block.conv1.stride
    return model


def efficientnet_lite0(classes):
    return timm.create_model("efficientnet_lite0", num_classes=classes, drop_rate=0.2, drop_path_rate=0.2)


def koefler_cnn(classes):
    """For images of 100 x 100."""
    return nn.Sequential(
        *conv(3, 64, kernel=7, stride=2, padding=0),
        nn.MaxPool2d(3, 2),
        *conv(64, 128, stride=2),
        nn.MaxPool2d(3, 1),
        *conv(128, 256),
        nn.MaxPool2d(3, 1),
        *conv(256, 512),
        *conv(512, 512),
        nn.MaxPool2d(3, 1),
        *conv(512, 512),
        nn.MaxPool2d(3, 1),
        nn.Flatten(),
        *dense(512 * 4 * 4, 4096),
        *dense(4096, 4096),
        nn.Linear(4096, classes),
    )


def conv(channels, filters, kernel=3, stride=1, padding=1):
    convolution = nn.Conv2d(channels, filters, kernel, stride, padding)
    return convolution, nn.ReLU(inplace=True), nn.BatchNorm2d(filters)


def dense(inputs, units):
    return nn.Linear(inputs, units), nn.ReLU(inplace=True), nn.Dropout(0.5)


NETWORKS = {"resnet50": resnet50, "efficientnet_lite0": efficientnet_lite0, "koefler_cnn": koefler_cnn}
