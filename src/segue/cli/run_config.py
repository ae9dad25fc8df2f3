"""Run config and tags as they are typed on the command line."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from segue.defs.bindings import extra_module
from segue.errors import InvalidConfigError, LoadError


def read_run_config(text: str | None) -> Mapping[str, object] | None:
    """The run config given by `--config`: inline JSON (`{...}`), or a `.json`, `.toml`, `.yaml` or `.yml` file.

    Raises:
        InvalidConfigError: it cannot be read, or is no mapping.
    """
    if text is None:
        return None
    if text.lstrip().startswith("{"):
        return _mapping(_parse(text, ".json", "--config"), "--config")
    file = Path(text)
    try:
        content = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InvalidConfigError(
            f"--config: {text} cannot be read: {reason}. Pass a file or JSON in braces."
        ) from error
    return _mapping(_parse(content, file.suffix.lower(), text), text)


def read_tags(texts: Sequence[str]) -> dict[str, str]:
    """The tags given by `--tag KEY=VALUE`.

    Raises:
        click.UsageError: one without `=` or without a key.
    """
    tags: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise click.UsageError(f"--tag {text!r} is not valid: use KEY=VALUE.")
        tags[key] = value
    return tags


def _parse(content: str, suffix: str, place: str) -> object:
    try:
        if suffix == ".json":
            return json.loads(content)
        if suffix == ".toml":
            return tomllib.loads(content)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidConfigError(f"{place}: not valid JSON: {error.msg} ({where}). Correct it there.") from error
    except tomllib.TOMLDecodeError as error:
        raise InvalidConfigError(f"{place}: not valid TOML: {error}. Correct it there.") from error
    if suffix in (".yaml", ".yml"):
        return _parse_yaml(content, place)
    raise InvalidConfigError(f"{place}: unknown format. Config files must end with .json, .toml, .yaml or .yml.")


def _parse_yaml(content: str, place: str) -> object:
    try:
        yaml = extra_module("yaml")
    except LoadError as error:
        raise InvalidConfigError(f"{place}: {error} Or use TOML or JSON.") from error
    try:
        return yaml.safe_load(content)
    except yaml.YAMLError as error:
        first = " ".join(str(error).split())
        raise InvalidConfigError(f"{place}: not valid YAML: {first}. Correct it there.") from error


def _mapping(value: object, place: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise InvalidConfigError(
            f"{place}: run config must be a mapping with keys such as `ops` and `resources`, got "
            f"{type(value).__name__}."
        )
    return value  # pyright: ignore[reportUnknownVariableType] reason: keys of JSON, TOML and YAML config are checked by the schema
