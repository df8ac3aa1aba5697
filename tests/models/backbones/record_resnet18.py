"""Record what torchvision's ResNet-18 computes, so that the flat one can be held against it.

    PYTHONPATH=tests/fixtures python tests/models/backbones/record_resnet18.py

where torch and torchvision are installed. Writes resnet18_outputs.json beside this file: names and shapes of
the checkpoint, and the logits of two images for weights and pixels by a formula.
"""

import json
import re
from pathlib import Path

import torch
import torchvision
from formula_tensors import noise, torch_state

CLASSES = 8
# An odd and an even side, and sides that are odd behind each halving.
SHAPES = ((2, 3, 45, 54), (2, 3, 64, 96))
TARGET = Path(__file__).with_name("resnet18_outputs.json")


def main():
    shapes = {n: list(t.shape) for n, t in torchvision.models.resnet18().state_dict().items()}
    own = {**shapes, "fc.weight": [CLASSES, 512], "fc.bias": [CLASSES]}
    network = torchvision.models.resnet18(num_classes=CLASSES).eval()
    network.load_state_dict({name: torch.from_numpy(array) for name, array in torch_state(own).items()})
    outputs = []
    for shape in SHAPES:
        with torch.no_grad():
            logits = network(torch.from_numpy(noise(shape, 1000)))
        outputs.append({"image": shape, "logits": [[round(x, 6) for x in row] for row in logits.tolist()]})
    trainable = sum(parameter.numel() for parameter in network.parameters())
    versions = {"torch": torch.__version__, "torchvision": torchvision.__version__}
    record = {"versions": versions, "parameters": trainable, "shapes": shapes, "outputs": outputs}
    text = re.sub(r"\[[^][{]*\]", lambda numbers: " ".join(numbers[0].split()), json.dumps(record, indent=1))
    TARGET.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
