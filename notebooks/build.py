"""Generate notebooks/NN_*.ipynb, which Colab opens, from notebooks/src/NN_*.py, which people edit.

    python notebooks/build.py            # write what is missing or out of date
    python notebooks/build.py --check    # write nothing; exit code 1 if anything is out of date

A source is a py:percent script: `# %% [markdown]` and `# %%` start cells, and
`# %% tags=["parameters"]` a tagged one. The result has no outputs, cell ids counted from 0 and a
fixed set of metadata, so that the same source gives the same bytes on every machine.
"""

import argparse
import re
import sys
import tomllib
from pathlib import Path

import jupytext
from nbstripout import strip_output

NOTEBOOK_METADATA = ("accelerator", "colab", "kernelspec")
CELL_METADATA = ("cellView", "tags")
FOLDER = Path(__file__).resolve().parent
FIX = "run `make notebooks`"
_PROJECT = tomllib.loads((FOLDER.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# The two words in capitals may stand in a source. Where `[project.urls]` names no repository, lines that lead
# there (badges, and where the install cell fetches from) are left out.
REPOSITORY = _PROJECT.get("urls", {}).get("Repository", "")
WORDS = {
    "REPOSITORY_SLUG": REPOSITORY.removeprefix("https://github.com/"),
    "RELEASE_TAG": f"v{_PROJECT['version']}",
}


def sources(folder=FOLDER):
    """Returns the sources in the order of their numbers."""
    return sorted((folder / "src").glob("[0-9][0-9]_*.py"))


def target_of(source):
    """Returns the path of the notebook that belongs to a source."""
    return source.parent.parent / f"{source.stem}.ipynb"


def keep_only(metadata, names):
    for name in metadata.keys() - set(names):
        del metadata[name]


def generate(source):
    """Returns the text of the notebook that belongs to a source."""
    text = source.read_text(encoding="utf-8")
    if not REPOSITORY:
        text = re.sub(r"(?m)(?:^.*REPOSITORY_SLUG.*\n)+(# )?(?:· )?", r"\1", text)
    for word, value in WORDS.items():
        text = text.replace(word, value)
    notebook = jupytext.reads(text, fmt="py:percent")
    keep_only(notebook.metadata, NOTEBOOK_METADATA)
    for cell in notebook.cells:
        keep_only(cell.metadata, CELL_METADATA)
    strip_output(notebook, keep_output=False, keep_count=False, keep_id=False)
    notebook.nbformat_minor = 5
    return jupytext.writes(notebook, fmt="ipynb").rstrip("\n") + "\n"


def problems(folder=FOLDER):
    """Returns one sentence for each notebook that is not what its source gives."""
    found = []
    expected = {target_of(source): source for source in sources(folder)}
    for target, source in expected.items():
        if not target.exists():
            found.append(f"{target.name} is missing: {FIX}")
        elif target.read_bytes() != generate(source).encode():
            found.append(f"{target.name} is not what src/{source.name} gives: {FIX}")
    for target in sorted(folder.glob("*.ipynb")):
        if target not in expected:
            found.append(f"{target.name} has no src/{target.stem}.py: write it, or remove this file")
    return found


def was_used(target):
    """Returns whether a notebook holds outputs, which one that is made here never does."""
    return target.exists() and any(cell.get("outputs") for cell in jupytext.read(target).cells)


def write(folder=FOLDER):
    """Writes what is missing or out of date and returns the paths written; a notebook that was used stays."""
    written = []
    if used := [target.name for target in map(target_of, sources(folder)) if was_used(target)]:
        raise SystemExit(
            f"Somebody has worked in {', '.join(used)}: there are outputs. Save the work under another name, "
            "then `git checkout` what was there"
        )
    for source in sources(folder):
        target, content = target_of(source), generate(source).encode()
        if not target.exists() or target.read_bytes() != content:
            part = target.with_suffix(".part")
            part.write_bytes(content)
            part.replace(target)
            written.append(target)
    return written


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="only say what is out of date")
    if not parser.parse_args(arguments).check:
        for target in write():
            print(f"wrote {target.name}")
    found = problems()
    print("\n".join(found) if found else f"{len(sources())} notebooks are up to date")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
