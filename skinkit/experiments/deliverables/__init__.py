"""Files that leave the kit: the card of a run, the exported network, the file of a challenge."""
