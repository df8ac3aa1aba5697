"""Checks that version, tag, dates and addresses of a release agree in all files.

`make release-check` runs it before a release. The version and the repository stand in pyproject.toml; what
cannot be made from there is compared with it.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

import skinkit

ROOT = Path(__file__).parents[1]
_BADGE = re.compile(
    r"colab\.research\.google\.com/github/([\w.-]+/[\w.-]+)/blob|github\.com/([\w.-]+/[\w.-]+)/actions"
)
_PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "notebooks/README.md",
    "docs/*.md",
    "results/*.md",
    "notebooks/*.ipynb",
    "notebooks/solutions/*.ipynb",
)


def problems(root=ROOT, tags=None, version=skinkit.__version__):
    """Returns a sentence for each thing that does not agree with pyproject.toml.

    Args:
        root: `pathlib.Path` of the project.
        tags: Strings, the tags of this commit; `None` to ask git.
        version: String, what the package says of itself.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    released, repository = project["version"], project.get("urls", {}).get("Repository")
    cited = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    said = {
        "skinkit.__version__": (version, released),
        "version of CITATION.cff": (str(cited.get("version")), released),
        "repository-code of CITATION.cff": (cited.get("repository-code"), repository),
    }
    found = [
        f"{what}: {is_now}, and pyproject.toml says {due}"
        for what, (is_now, due) in said.items()
        if is_now != due
    ]
    if not repository:
        found.append("[project.urls] of pyproject.toml has no Repository: the notebooks have no badges")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", str(cited.get("date-released"))):
        found.append(f"date-released of CITATION.cff is a day. Received: {cited.get('date-released')}")
    if others := [
        tag
        for tag in (_tags(root) if tags is None else tags)
        if tag.startswith("v") and tag != f"v{released}"
    ]:
        found.append(f"this commit has the tag {', '.join(others)}, and the version needs v{released}")
    return [*found, *_other_addresses(root, str(repository).removeprefix("https://github.com/"))]


def _tags(root):
    done = subprocess.run(["git", "tag", "--points-at", "HEAD"], cwd=root, capture_output=True, text=True)
    return done.stdout.split()


def _other_addresses(root, slug):
    """Badges, and install cells of the notebooks, that lead to another repository."""
    for path in sorted(path for pattern in _PAGES for path in root.glob(pattern)):
        for badge, action in _BADGE.findall(path.read_text(encoding="utf-8")):
            if (other := badge or action) != slug:
                yield f"{path.relative_to(root)} leads to {other}, and pyproject.toml says {slug}"


if __name__ == "__main__":
    wrong = problems()
    print("\n".join(wrong) or f"skinkit {skinkit.__version__}: version, tag, citation and addresses agree")
    sys.exit(bool(wrong))
