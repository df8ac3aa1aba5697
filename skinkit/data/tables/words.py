"""Words of the published tables: dictionaries from `words.toml`, by what they are for."""

import tomllib
from pathlib import Path

WORDS = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))
