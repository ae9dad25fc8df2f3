"""Dagster's libraries, by the name of their package: which folder of `segue.integrations` answers for each.

Only these are taken over by the import hook: a project of a user may well be called `dagster_something` itself.
`dagster_pipes` is not among them: it is a protocol for the other side of a process border and needs no Dagster.
"""

from __future__ import annotations

_NAMES = """
    airbyte airflow airlift anthropic aws azure celery celery_docker celery_k8s census cloud dask databricks datadog
    datahub dbt deltalake deltalake_pandas deltalake_polars dlt docker duckdb duckdb_pandas duckdb_polars duckdb_pyspark
    embedded_elt fivetran gcp gcp_pandas gcp_pyspark gemini ge github graphql hightouch iceberg k8s looker
    managed_elements mlflow msteams mysql omni openai pagerduty pandas pandera papertrail polars polytomic postgres powerbi
    prometheus pyspark sigma slack sling snowflake snowflake_pandas snowflake_polars snowflake_pyspark spark ssh tableau
    teradata twilio wandb webserver
"""

LIBRARIES = {**{f"dagster_{name}": name for name in _NAMES.split()}, "dagstermill": "notebook"}
