"""Run folders: read back, resumed, repaired, and what is kept in them of the images."""

from skinkit.experiments.run_folder.saved_run import SavedRun
