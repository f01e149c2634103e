"""Every setting of the library, read from the environment here and nowhere else.

Each class is a frozen value that checks itself; pass an instance to what needs it, or build one
with keyword arguments in a test. `docs`-worthy text stands in each field's description:
`streams settings` and the table in DESIGN.md are made from it.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.errors import ConfigurationError

_OPTION_NAME = re.compile(r"[a-z0-9._]+")

_MOST = 2_147_483_647
"""What the Kafka client, and Kafka's protocol, can count to: a signed number of 32 bits."""

_LONGEST_S = 2_147_483
"""The same in milliseconds, as seconds."""

_SHORTEST_S = 0.001  # the client counts whole milliseconds


class Section(BaseSettings):
    """A group of settings; a wrong value raises ConfigurationError that names the variable."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", validate_default=True)

    def __init__(self, **values: Any) -> None:
        aliases = {name: _variable(type(self), name) for name in values}
        try:
            super().__init__(**{aliases[name]: value for name, value in values.items()})
        except ValidationError as exc:
            raise ConfigurationError(_explain(exc)) from None


def _env(name: str, description: str, default: Any) -> Any:
    return Field(default, validation_alias=name, description=description)


def _within(least: float, most: float) -> AfterValidator:
    """A check that a number lies between two others, which no NaN does."""

    def check(number: float) -> float:
        if not least <= number <= most:
            raise ValueError(f"must be from {least:,} to {most:,}")
        return number

    return AfterValidator(check)


_Count = Annotated[int, _within(1, _MOST)]
_Seconds = Annotated[float, _within(_SHORTEST_S, _LONGEST_S)]
_Copies = Annotated[int, _within(-1, 32_767)]  # Kafka's protocol has 16 bits for them


class HomeSettings(Section):
    """Where this machine keeps state, the local broker and logs."""

    home: Path = _env("STREAMS_HOME", "Folder of local state and the local Kafka.", Path())
    downloads: Path = _env(
        "STREAMS_DOWNLOADS",
        "Folder of the local Kafka's jars; unset = `downloads` in the home.",
        Path(),
    )

    def made_home(self) -> Path:
        """The home, made if it is missing; ConfigurationError where this user may not write."""
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            is_writable = os.access(self.home, os.W_OK)
            found = "a folder of somebody else"
        except OSError as exc:
            is_writable, found = False, str(exc.strerror)
        if not is_writable:
            raise ConfigurationError(
                f"cannot write to {self.home}: {found}; set STREAMS_HOME to a folder that this "
                "user may write to"
            )
        return self.home

    @field_validator("home")
    @classmethod
    def _in_the_data_folder_unless_told(cls, home: Path) -> Path:
        return _default_home() if home == Path() else home.expanduser().absolute()

    @field_validator("downloads")
    @classmethod
    def _in_the_home_unless_told(cls, downloads: Path, info: ValidationInfo) -> Path:
        if downloads == Path():
            return Path(info.data.get("home", _default_home())) / "downloads"
        return downloads.expanduser().absolute()


class KafkaSettings(Section):
    """How to reach Kafka. Secrets come from the environment, or from a file named `…_FILE`."""

    bootstrap_servers: str = _env(
        "KAFKA_BOOTSTRAP_SERVERS",
        "Brokers as host:port, comma separated; unset = the local Kafka.",
        "",
    )
    namespace: str = _env(
        "STREAMS_NAMESPACE", "Prefix of every topic, group and transactional id.", ""
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = _env(
        "KAFKA_SECURITY_PROTOCOL", "Transport security.", "PLAINTEXT"
    )
    sasl_mechanism: str = _env("KAFKA_SASL_MECHANISM", "Such as SCRAM-SHA-512.", "")
    sasl_username: str = _env("KAFKA_SASL_USERNAME", "SASL user.", "")
    sasl_password: SecretStr = _env("KAFKA_SASL_PASSWORD", "SASL password (secret).", SecretStr(""))
    sasl_password_file: str = _env(
        "KAFKA_SASL_PASSWORD_FILE", "File that holds the SASL password.", ""
    )
    ssl_ca_location: str = _env("KAFKA_SSL_CA_LOCATION", "CA certificates (PEM file).", "")
    ssl_certificate_location: str = _env(
        "KAFKA_SSL_CERTIFICATE_LOCATION", "Client certificate (PEM file).", ""
    )
    ssl_key_location: str = _env("KAFKA_SSL_KEY_LOCATION", "Client key (PEM file).", "")
    ssl_key_password: SecretStr = _env(
        "KAFKA_SSL_KEY_PASSWORD", "Password of the client key (secret).", SecretStr("")
    )
    ssl_key_password_file: str = _env(
        "KAFKA_SSL_KEY_PASSWORD_FILE", "File that holds the key's password.", ""
    )
    client_options: SecretStr = _env(
        "KAFKA_CLIENT_OPTIONS",
        "More librdkafka settings, `name=value` separated by `;`; those that the library sets "
        "itself are refused.",
        SecretStr(""),
    )

    def password(self) -> str:
        """The SASL password, from the variable or from its file; never log it."""
        return _secret(self.sasl_password, self.sasl_password_file)

    def key_password(self) -> str:
        """The client key's password, from the variable or from its file; never log it."""
        return _secret(self.ssl_key_password, self.ssl_key_password_file)

    def options(self) -> dict[str, str]:
        """`client_options` as a mapping; ConfigurationError on a part that is no `name=value`.

        The error shows no part: one may be the tail of a password that has a `;` in it.
        """
        options = {}
        for number, part in enumerate(self.client_options.get_secret_value().split(";"), start=1):
            name, equals, value = map(str.strip, part.partition("="))
            if equals and _OPTION_NAME.fullmatch(name):
                options[name] = value
            elif part.strip():
                lack = "no option's name before its '='" if equals else "no '='"
                raise ConfigurationError(
                    f"part {number} of KAFKA_CLIENT_OPTIONS has {lack}; wanted name=value pairs "
                    "separated by ';' (a value with a ';' in it goes into a variable of its own)"
                )
        return options


class SchemaSettings(Section):
    """Which schemas package a program without a `pyproject.toml` at hand uses."""

    package: str = _env(
        "STREAMS_SCHEMAS", "Import name of the schemas package; unset = [tool.streams] or ours.", ""
    )


class EmitSettings(Section):
    """The SDK's client."""

    max_queued: _Count = _env(
        "STREAMS_EMIT_MAX_QUEUED", "Most records waiting to be sent.", 100_000
    )
    on_full: Literal["wait", "fail"] = _env(
        "STREAMS_EMIT_ON_FULL", "What emit does when the queue is full.", "wait"
    )
    linger_ms: Annotated[int, _within(0, 900_000)] = _env(
        "STREAMS_EMIT_LINGER_MS", "Wait to fill a batch, milliseconds.", 5
    )
    delivery_timeout_s: _Seconds = _env(
        "STREAMS_EMIT_DELIVERY_TIMEOUT_S", "A receipt fails after this, seconds.", 120.0
    )
    flush_timeout_s: Annotated[float, _within(0, _LONGEST_S)] = _env(
        "STREAMS_EMIT_FLUSH_TIMEOUT_S", "Longest flush at exit, seconds.", 30.0
    )
    max_record_bytes: Annotated[int, _within(1, 999_900_000)] = _env(
        "STREAMS_EMIT_MAX_RECORD_BYTES", "Largest encoded event, bytes.", 900_000
    )
    source: str = _env("STREAMS_EMIT_SOURCE", "Name of the emitting program (header).", "")

    @field_validator("delivery_timeout_s")
    @classmethod
    def _is_longer_than_a_batch_waits(cls, timeout_s: float, info: ValidationInfo) -> float:
        linger_s = info.data.get("linger_ms", 0) / 1_000
        if timeout_s <= linger_s:
            raise ValueError(f"must be more than the {linger_s:g} s that a batch waits to fill")
        return timeout_s


class WorkerSettings(Section):
    """One worker's loop."""

    commit_interval_s: _Seconds = _env("STREAMS_COMMIT_INTERVAL_S", "Seconds between commits.", 0.2)
    commit_max_outputs: _Count = _env(
        "STREAMS_COMMIT_MAX_OUTPUTS", "Commit earlier when this many outputs wait.", 100_000
    )
    checkpoint_interval_s: _Seconds = _env(
        "STREAMS_CHECKPOINT_INTERVAL_S", "Seconds between local checkpoints.", 10.0
    )
    cache_entries: _Count = _env(
        "STREAMS_CACHE_ENTRIES", "Most states kept in memory by one worker.", 1_000_000
    )
    poll_records: Annotated[int, _within(1, 1_000_000)] = _env(
        "STREAMS_POLL_RECORDS",
        "Records taken from the client at once; more do not fit a processor's cache.",
        2_000,
    )
    group_protocol: Literal["consumer", "classic"] = _env(
        "STREAMS_GROUP_PROTOCOL", "KIP-848 (`consumer`) or the classic group protocol.", "consumer"
    )
    prefetch_kbytes: Annotated[int, _within(1, 2_097_151)] = _env(
        "STREAMS_PREFETCH_KBYTES", "Fetched ahead by the client, kilobytes a worker.", 65_536
    )
    session_timeout_s: Annotated[float, _within(1, 300)] = _env(
        "STREAMS_SESSION_TIMEOUT_S", "Classic protocol: a silent worker is dead after this.", 6.0
    )
    transaction_timeout_s: Annotated[float, _within(1, 750)] = _env(
        "STREAMS_TRANSACTION_TIMEOUT_S", "The broker aborts a transaction after this.", 15.0
    )
    drain_timeout_s: _Seconds = _env(
        "STREAMS_DRAIN_TIMEOUT_S", "Longest time from SIGTERM to the end of the last commit.", 8.0
    )
    http_host: str = _env("STREAMS_HTTP_HOST", "Address of metrics and health.", "127.0.0.1")
    http_port: Annotated[int, _within(-1, 65_535)] = _env(
        "STREAMS_HTTP_PORT",
        "Port of worker 0's metrics and health (n-th: + n); 0 = any, -1 = off.",
        0,
    )


class TopicSettings(Section):
    """How topics are made."""

    replication_factor: _Copies = _env(
        "STREAMS_REPLICATION_FACTOR", "Copies of each new topic; -1 = the broker's default.", -1
    )
    min_insync_replicas: _Copies = _env(
        "STREAMS_MIN_INSYNC_REPLICAS",
        "Copies that must have a record before it counts as written; -1 = the broker's default.",
        -1,
    )

    @field_validator("replication_factor", "min_insync_replicas")
    @classmethod
    def _is_a_count_or_the_default(cls, count: int) -> int:
        if count == 0:
            raise ValueError("must be at least 1, or -1 for the broker's default")
        return count


class LogSettings(Section):
    """Log lines."""

    form: Literal["auto", "console", "json"] = _env(
        "STREAMS_LOG", "console, json, or auto: console on a terminal.", "auto"
    )
    level: Literal["debug", "info", "warning", "error"] = _env(
        "STREAMS_LOG_LEVEL", "Least severe line shown.", "info"
    )


class DemoSettings(Section):
    """`make demo`."""

    model_config = SettingsConfigDict(env_ignore_empty=True)  # make passes an empty KEEP

    keep: bool = _env(
        "KEEP", "Whether the demo leaves everything running at its end.", default=False
    )


SECTIONS: tuple[type[Section], ...] = (
    KafkaSettings, HomeSettings, SchemaSettings, EmitSettings, WorkerSettings, TopicSettings,
    LogSettings, DemoSettings,
)  # fmt: skip


def rows() -> Iterator[tuple[str, str, str, str]]:
    """(section, variable, default, meaning) of every setting, for the documentation's table."""
    for section in SECTIONS:
        for field in section.model_fields.values():
            default = "" if isinstance(field.default, SecretStr | Path) else str(field.default)
            yield section.__name__, str(field.validation_alias), default, field.description or ""


def limit_polars() -> None:
    """Give polars one thread unless the user chose; call it before polars is first imported.

    It reads small Avro blocks here, one at a time; more threads would only fight the workers for
    cores. Polars takes the number from the environment alone.
    """
    os.environ.setdefault("POLARS_MAX_THREADS", "1")


def child_environment(values: Mapping[str, str]) -> dict[str, str]:
    """The process's environment with `values` over it, for a process we start."""
    return {**os.environ, **values}


def _default_home() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "millrace"
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "millrace"


def _secret(value: SecretStr, file: str) -> str:
    if not file:
        return value.get_secret_value()
    try:
        return Path(file).read_text(encoding="utf-8").rstrip("\n")
    except OSError as exc:
        raise ConfigurationError(f"cannot read the secret file {file}: {exc.strerror}") from exc


def _variable(section: type[Section], name: str) -> str:
    field = section.model_fields.get(name)
    if field is None:
        raise ConfigurationError(f"{section.__name__} has no setting {name!r}")
    return str(field.validation_alias)


def _explain(exc: ValidationError) -> str:
    return "; ".join(
        f"{error['loc'][0]}: found {error['input']!r}, {error['msg'].removeprefix('Value error, ')}"
        for error in exc.errors()
    )
