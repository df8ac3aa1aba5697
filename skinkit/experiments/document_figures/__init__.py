"""Figures of the documents by number, drawn from printed numbers, runs and images."""

from skinkit.experiments.document_figures.draw import draw_figure, figure_list, list_figures
