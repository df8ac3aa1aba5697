"""The files that install skinkit agree with each other."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


def read(name):
    """Returns the requirements of a file by name."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    written = [line.partition("#")[0].strip() for line in lines]
    requirements = [Requirement(line) for line in written if line]
    return {canonicalize_name(requirement.name): requirement for requirement in requirements}


def pins(name):
    found = {}
    for package, requirement in read(name).items():
        (specifier,) = requirement.specifier
        assert specifier.operator == "==", f"{name}: pin {package} exactly"
        found[package] = specifier.version
    return found


REQUIREMENTS = read("requirements.txt")


@pytest.mark.parametrize("package", REQUIREMENTS)
def test_a_requirement_is_a_range(package):
    operators = {specifier.operator for specifier in REQUIREMENTS[package].specifier}
    assert operators == {">=", "<"}, f"give {package} a lower and an upper bound"


@pytest.mark.parametrize("name", ["constraints.txt", "constraints-colab.txt"])
def test_pinned_versions_lie_in_the_ranges(name):
    outside = {
        package: version
        for package, version in pins(name).items()
        if package in REQUIREMENTS and not REQUIREMENTS[package].specifier.contains(version)
    }
    assert not outside


def test_the_lock_pins_every_requirement_and_no_local_path():
    assert set(REQUIREMENTS) <= set(pins("constraints.txt"))
    assert "file:" not in (ROOT / "constraints.txt").read_text(encoding="utf-8")


def test_conda_asks_for_the_same_ranges():
    content = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    lines = [line for line in content["dependencies"] if isinstance(line, str)]
    asked = {Requirement(re.sub(r"(?<=[a-z])=(?=\d)", "==", line)) for line in lines}
    for requirement in asked - {Requirement("pip")}:
        name = canonicalize_name(requirement.name).removesuffix("-base")
        if name != "python":
            assert requirement.specifier == REQUIREMENTS[name].specifier, name


def test_every_conda_package_says_what_it_is_for():
    for name in ("environment.yml", "environment-legacy.yml"):
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
            if re.match(r"\s+- [a-z-]", line) and not line.endswith(("conda-forge", "pip:")):
                assert "  # " in line or " # " in line, f"{name}: {line.strip()}"


def test_only_the_legacy_environment_names_the_addons():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [line for extra in project["optional-dependencies"].values() for line in extra]
    assert not [line for line in [*REQUIREMENTS, *extras] if "addons" in line]
    legacy = read("requirements-legacy.txt")
    assert str(legacy["tensorflow"].specifier) == "==2.15.1"
    assert str(legacy["tensorflow-addons"].specifier) == "==0.23.0"
