"""How a run decides, and for whom it fails."""
