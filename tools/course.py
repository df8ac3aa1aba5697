"""Makes the course in course/: what nbgrader hands out and marks, the instructor's guide, the syllabus.

python tools/course.py            # make it
python tools/course.py --check    # make it, then hand in a solved and an open notebook of each chapter
"""

import argparse
import os
import runpy
import shutil
import sys
import tomllib
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from traitlets.config import PyFileConfigLoader

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ROOT / "notebooks"
BUILD = runpy.run_path(str(NOTEBOOKS / "build.py"))
PRINTED = (
    "<style>h2 { break-before: page; } h3, .highlight { break-inside: avoid; } "
    ".highlight { margin-bottom: 1em; }</style>"
)


def weeks(folder=NOTEBOOKS):
    """Returns the weeks of course.toml, which name each chapter once; a chapter has its source, too."""
    plan = tomllib.loads((folder / "course.toml").read_text(encoding="utf-8"))["weeks"]
    chapters = {source.stem: source for source in BUILD["sources"](folder)}
    planned = [name for week in plan for name in week["chapters"]]
    if sorted(planned) != sorted(chapters):
        wrong = sorted(set(planned) ^ set(chapters)) or "a chapter twice"
        raise ValueError(f"notebooks/course.toml needs each chapter of notebooks/src once. Look for {wrong}")
    for week in plan:
        for name, chapter in week["chapters"].items():
            chapter["source"] = chapters[name]
    return plan


def chapter_cells(source):
    """Returns the cells of a chapter, and those of its exercises by role."""
    notebook = BUILD["read"](source)
    return notebook.cells, BUILD["exercises"](notebook)


def on_drawn_images(text):
    """Returns the text of a notebook with the profile `smoke`: marks take minutes, and no images."""
    given = r'"PROFILE = \"quick\"'
    if given not in text:
        raise ValueError(f"the parameters cell begins with {given}, so that marks are given in smoke")
    return text.replace(given, given.replace("quick", "smoke"))


def write_sources(out, sources):
    """Writes nbgrader's sources, with the profile `smoke`; a chapter without exercises has none."""
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy(NOTEBOOKS / "nbgrader_config.py", out)
    for source in sources:
        if chapter_cells(source)[1]:
            target = out / "source" / source.stem / f"{source.stem}.ipynb"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(on_drawn_images(BUILD["generate"](source, solved=True)), encoding="utf-8")


def assignments(out):
    """Returns the names of the chapters that have a source, in order."""
    return sorted(path.name for path in (out / "source").iterdir())


def nbgrader_of(out):
    """Returns nbgrader's interface to the course in a folder."""
    # nbgrader starts the program `alembic`, which is beside this Python.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    config = PyFileConfigLoader("nbgrader_config.py", path=str(out)).load_config()
    config.CourseDirectory.root = str(out)
    return NbGraderAPI(config=config)


def must(result):
    """Raises what nbgrader says of a step that failed."""
    if not result["success"]:
        raise RuntimeError(f"{result['error']}\n{result['log']}")


def make(out, sources):
    """Writes nbgrader's sources and lets nbgrader make the student versions below `release`."""
    write_sources(out, sources)
    course = nbgrader_of(out)
    for name in assignments(out):
        must(course.generate_assignment(name, force=True))


def points_of(exercises):
    return sum(cells["check"].metadata.points for cells in exercises.values())


def text_of(cells, tag):
    """Returns the text of the exercise that stands above its cells."""
    position = cells.index(tag["exercise"])
    above = next(cell.source for cell in reversed(cells[:position]) if cell.cell_type == "markdown")
    return above[above.index("### ") :]


def fenced(code):
    return f"```python\n{code}\n```"


def chapter_guide(cells, exercises, chapter):
    """Returns the guide of a chapter as Markdown."""
    title = cells[0].source.splitlines()[0].removeprefix("# ")
    goals = "\n".join(f"- {goal}" for goal in chapter["goals"])
    parts = [
        f"## {chapter['source'].stem[:2]} {title}",
        f"**{chapter['minutes']} minutes, {points_of(exercises)} points**",
        f"Students can then:\n\n{goals}",
        cells[1].source,
    ]
    for tag in exercises.values():
        parts += [
            text_of(cells, tag),
            f"**{tag['check'].metadata.points} points.** A solution",
            fenced(f"{tag['exercise'].source}\n{tag['solution'].source}"),
            "**Typical wrong answers**",
            fenced(tag["wrong"].source),
            "**What counts**",
            fenced(tag["hidden"].source),
        ]
    return "\n\n".join(parts)


def guide(plan):
    """Returns the instructor's guide as Markdown: goals, minutes, solutions, wrong answers and marks."""
    start = (
        f"{PRINTED}\n\n# Instructor's guide\n\nNot for students. An exercise has all of its points or none: "
        "nbgrader gives them when its check cell, which holds the hidden test, runs without an error. That "
        "is on drawn images, with the profile `smoke`."
    )
    chapters = [chapter for week in plan for chapter in week["chapters"].values()]
    parts = [chapter_guide(*chapter_cells(chapter["source"]), chapter) for chapter in chapters]
    return "\n\n".join([start, *parts])


def syllabus(plan):
    """Returns the syllabus as Markdown."""
    lines = [
        "# Syllabus",
        "| week | chapter | minutes | points | you can then |\n| --- | --- | --- | --- | --- |",
    ]
    for number, week in enumerate(plan, 1):
        for chapter in week["chapters"].values():
            cells, exercises = chapter_cells(chapter["source"])
            title = cells[0].source.splitlines()[0].removeprefix("# ")
            row = (
                f"{number} {week['title']}",
                f"{chapter['source'].stem[:2]} {title}",
                chapter["minutes"],
                points_of(exercises),
                " ".join(chapter["goals"]),
            )
            lines[-1] += f"\n| {' | '.join(map(str, row))} |"
    return "\n\n".join(lines)


def write_page(path, title, markdown):
    """Writes Markdown as a page that can be printed."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(markdown)])
    page, _ = HTMLExporter().from_notebook_node(notebook, {"metadata": {"name": title}})
    path.write_text(page, encoding="utf-8")


def check(out, name):
    """Hands in the solved and the open notebook of a chapter; returns what is wrong with their marks."""
    course = nbgrader_of(out)
    handed_in = {"solved": out / "source", "open": out / "release"}
    for student, folder in handed_in.items():
        shutil.copytree(folder / name, out / "submitted" / student / name, dirs_exist_ok=True)
        must(course.autograde(name, student, force=True))
    with Gradebook(course.coursedir.db_url) as marks:
        most = marks.find_assignment(name).max_score
        for student, due in (("solved", most), ("open", 0)):
            given = marks.find_submission(name, student).score
            if given != due:
                yield f"{name}: the {student} notebook has {given} of {most} points, and not {due}"


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--check", action="store_true", help="then mark a solved and an open notebook of each"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "course", help="folder of the course")
    parser.add_argument("--chapters", nargs="*", help="begin of the names of these chapters only")
    options = parser.parse_args(arguments)
    plan = weeks()
    make(options.out, [chapter["source"] for week in plan for chapter in week["chapters"].values()])
    write_page(options.out / "guide.html", "Instructor's guide", guide(plan))
    write_page(options.out / "syllabus.html", "Syllabus", syllabus(plan))
    print(f"wrote {options.out}: release, source, guide.html, syllabus.html")
    wrong = []
    for name in assignments(options.out) if options.check else ():
        if name.startswith(tuple(options.chapters or [""])):
            found = list(check(options.out, name))
            print("\n".join(found) or f"{name}: marks as expected")
            wrong += found
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
