"""Databases that implement the protocols of `segue.model.stores`.

`sqlite` is the one that every installation has; `migrations` and `migrate` (extra `server`) bring a database up to
date.
"""
