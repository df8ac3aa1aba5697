"""Hashes of the predictions of one `smoke` run of every task.

Run before and after a change that must not change any number, on one machine; the two outputs are equal.

    python tools/hash_predictions.py > before.txt
"""

import hashlib
import tempfile

from skinkit import experiments

# One run of every kind of learning, and of every form of input and of sampler.
RUNS = (
    ("skinkit/demo/ham10000", "corrected"),
    ("skinkit/baseline/efficientnet-lite0-plain", "corrected"),
    ("koefler2023/table4b/cnn-sa", "as_published"),
    ("koefler2023/table5a/cnn", "corrected"),
    ("koefler2023/controls/cnn-random-map", "corrected"),
    ("gessert2019/table2/small-single-crop", "corrected"),
    ("gessert2019/table2/small-multi-crop", "corrected"),
    ("gessert2019/table2/small-gru", "corrected"),
    ("gessert2019/table2/small-dual", "as_published"),
    ("gessert2019/table5/small-oversampling", "corrected"),
    ("gessert2019/table5/small-balanced-batches", "corrected"),
    ("gessert2019/table5/small-diagnosis-weighting", "as_published"),
    ("hernandez2020/table3/cae-extra-trees", "corrected"),
    ("hernandez2020/controls/cae-extra-trees-pca", "corrected"),
    ("hernandez2020/controls/lite0-logistic-metadata", "corrected"),
    ("hernandez2020/controls/lite0-zscore", "corrected"),
    ("hernandez2020/controls/lite0-attention", "corrected"),
    ("hernandez2020/controls/lite0-mean", "corrected"),
    ("hernandez2020/controls/lite0-contextual", "corrected"),
    ("hernandez2020/synthetic/informative-attention-self", "corrected"),
)


def main():
    with tempfile.TemporaryDirectory() as out:
        for recipe, protocol in RUNS:
            folder = experiments.run(recipe, "smoke", protocol, out=out, verbose=0)
            saved = experiments.SavedRun(folder)
            predictions = saved.predictions.filter(like="p_").to_numpy()
            print(
                hashlib.sha256(predictions.tobytes()).hexdigest()[:16],
                saved.manifest["key"],
                recipe,
                protocol,
                flush=True,
            )


if __name__ == "__main__":
    main()
