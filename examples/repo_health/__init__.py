"""The health of a git repository, as data assets."""
