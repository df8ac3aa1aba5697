"""Record what timm's EfficientNet-Lite networks compute, so that the flat ones can be held against them.

    PYTHONPATH=tests/fixtures python tests/models/backbones/record_efficientnet_lite.py CHECKPOINT...

where torch and timm are installed, with the three checkpoints of the packages, in order. Writes
efficientnet_lite_outputs.json beside this file: parameters, and every hundredth logit of one image, for
weights by a formula (names as in the checkpoint) and for those of the checkpoint.
"""

import json
import re
import sys
import zlib
from pathlib import Path

import timm
import torch
from formula_tensors import noise, torch_state

SHAPE = (1, 3, 97, 130)
TARGET = Path(__file__).with_name("efficientnet_lite_outputs.json")


def logits(network, tensors):
    """Every hundredth logit with these tensors, which come in the network's own order."""
    names = network.state_dict()
    network.load_state_dict(dict(zip(names, tensors, strict=True)))
    with torch.no_grad():
        found = network(torch.from_numpy(noise(SHAPE, 1000)))
    return [round(x, 5) for x in found[0, ::100].tolist()]


def main(checkpoints):
    record = {"versions": {"torch": torch.__version__, "timm": timm.__version__}}
    for number, path in enumerate(checkpoints):
        network = timm.create_model(f"tf_efficientnet_lite{number}", pretrained=False).eval()
        state = torch.load(path, map_location="cpu")
        own = (torch_state({n: t.shape}, zlib.crc32(n.encode()))[n] for n, t in state.items())
        record[f"efficientnet_lite{number}"] = {
            "parameters": sum(parameter.numel() for parameter in network.parameters()),
            "formula": logits(network, map(torch.from_numpy, own)),
            "checkpoint": logits(network, state.values()),
        }
    text = re.sub(r"\[[^][{]*\]", lambda numbers: " ".join(numbers[0].split()), json.dumps(record, indent=1))
    TARGET.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
