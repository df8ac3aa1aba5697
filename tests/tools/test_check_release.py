import shutil
from pathlib import Path

import pytest
import yaml

import skinkit
from check_release import problems
from skinkit.papers.published import DOCUMENTS

ROOT = Path(__file__).parents[2]
NAMES = ("pyproject.toml", "CITATION.cff", "README.md")


@pytest.fixture
def project(tmp_path):
    for name in NAMES:
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_this_project_agrees():
    assert problems() == []


@pytest.mark.parametrize(
    ("name", "before", "after", "told"),
    [
        ("CITATION.cff", "\nversion: 0.1.0", "\nversion: 0.2.0", "version of CITATION.cff: 0.2.0"),
        ("CITATION.cff", "date-released: 2026", "dated: 2026", "is a day. Received: None"),
        ("CITATION.cff", "github.com/skinkit", "github.com/other", "repository-code of CITATION.cff"),
        ("README.md", "github/skinkit/skinkit/", "github/other/skinkit/", "README.md leads to other/skinkit"),
        ("pyproject.toml", "\nRepository", "\nHomepage", "has no Repository: the notebooks have no badges"),
        ("pyproject.toml", '\nversion = "0.1.0"', '\nversion = "0.3.0"', "skinkit.__version__: 0.1.0"),
    ],
)
def test_what_does_not_agree_is_named(project, name, before, after, told):
    assert problems(project, tags=[]) == []
    path = project / name
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    assert any(told in problem for problem in problems(project, tags=[]))


def test_a_tag_is_that_of_the_version(project):
    assert problems(project, tags=[f"v{skinkit.__version__}", "paper"]) == []
    assert "the tag v9.9, and the version needs v0.1.0" in problems(project, tags=["v9.9"])[0]


def test_every_document_is_cited_as_it_is_named_here():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["references"]
    by_key = {reference["notes"].split(",")[0]: reference for reference in cited}
    assert {*by_key} == {*DOCUMENTS}
    for key, document in DOCUMENTS.items():
        reference = by_key[key]
        names = [f"{each['given-names']} {each['family-names']}" for each in reference["authors"]]
        assert (reference["title"], reference["year"]) == (document.title, document.year)
        assert ", ".join(names) == document.authors
