"""Moves what another installation recorded into a home folder of Segue: `segue migrate dagster`."""
