"""Experiments: recipes carried out, their run folders, and what is read from these."""

from skinkit.experiments.deciding.operating_point import decision, operating_point
from skinkit.experiments.deciding.rule import fit_rule
from skinkit.experiments.deliverables.card import write_card
from skinkit.experiments.deliverables.export import export
from skinkit.experiments.deliverables.submit import submit
from skinkit.experiments.demo import demo
from skinkit.experiments.environment import environment, report_environment
from skinkit.experiments.evaluate import evaluate, summarise
from skinkit.experiments.explain import explain
from skinkit.experiments.results.ledger import ledger, write_ledger
from skinkit.experiments.run import run
from skinkit.experiments.run_data import available_profile
from skinkit.experiments.run_folder import SavedRun
