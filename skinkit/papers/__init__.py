"""The documents: their recipes, and their tables as data."""

from skinkit.papers.recipe import PROFILES, PROTOCOLS, Choice, Phase, Recipe, choose
from skinkit.papers.registry import recipe, recipes
