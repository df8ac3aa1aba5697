"""The page of a run, one file that needs nothing else."""

from skinkit.experiments.report.page import write_report
