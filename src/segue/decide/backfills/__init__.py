"""How backfills go on: what of them can start now, in which runs, and when they have ended. Pure."""
