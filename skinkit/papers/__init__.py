"""The documents: their recipes, and their tables as data."""

from skinkit.papers.choice import Choice, choose
from skinkit.papers.recipe import PROFILES, PROTOCOLS, Phase, Recipe
from skinkit.papers.registry import recipe, recipes, register_recipe
