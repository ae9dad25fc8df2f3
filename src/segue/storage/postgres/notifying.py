"""The channel over which Postgres tells that something was written. One for all schemas: who hears too much looks once more."""

_CHANNEL = "segue_news"
NOTIFY = f"NOTIFY {_CHANNEL}".encode()
LISTEN = f"LISTEN {_CHANNEL}".encode()
