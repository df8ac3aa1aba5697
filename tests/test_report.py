import json
import re
import shutil
from pathlib import Path

from skinkit.report import write_report

RUN = Path(__file__).parents[1] / "results/runs/skinkit/demo/ham10000/corrected-quick-fold0-seed0"
HOSTILE = "</pre><script>alert('{0}')</script><img src=x onerror=alert(1)>"


def hostile(value):
    """The value with a script in each of its strings, and in the names that are free."""
    if isinstance(value, str):
        return value + HOSTILE
    if isinstance(value, list):
        return [hostile(v) for v in value]
    return {name: hostile(v) for name, v in value.items()} if isinstance(value, dict) else value


def test_whatever_a_manifest_says_is_text_on_the_page(tmp_path):
    folder = shutil.copytree(RUN, tmp_path / "run")
    safe = write_report(folder).read_text(encoding="utf-8")
    manifest = hostile(json.loads((folder / "manifest.json").read_text()))
    manifest["images"] = {part + HOSTILE: n for part, n in manifest["images"].items()}
    manifest |= {"stamp": "LEAKY" + HOSTILE, "seed": HOSTILE}
    metrics = json.loads((folder / "metrics.json").read_text())
    metrics["grouped_by"] += HOSTILE
    (folder / "manifest.json").write_text(json.dumps(manifest).replace("<", "\\u003c"))
    (folder / "metrics.json").write_text(json.dumps(metrics))
    page = write_report(folder).read_text(encoding="utf-8")
    assert "<script" not in page
    tags = re.compile("<(?!!)/?[a-z0-9]+")
    assert tags.findall(page) == tags.findall(safe)
    assert page.count("&lt;script&gt;") > 20
