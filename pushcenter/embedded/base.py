"""The Django database backend `pushcenter.embedded`: that of PostgreSQL, starting the server when needed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from django.db.utils import OperationalError

from pushcenter.embedded import EmbeddedError, server
from pushcenter.embedded.client import DatabaseClient


class DatabaseWrapper(base.DatabaseWrapper):
    client_class = DatabaseClient

    def get_connection_params(self) -> dict[str, Any]:
        """Start or share the server, for where its socket is shows only then."""
        params: dict[str, Any] = super().get_connection_params()
        with _as_operational_error():
            server.ensure_running(self._data, fsync=self._fsync)
            reached = server.connection_params(self._data)
        return {**params, "host": reached["host"], "port": reached["port"]}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        try:
            return super().get_new_connection(conn_params)
        except psycopg.OperationalError:
            with _as_operational_error():
                if not server.await_answer(self._data, fsync=self._fsync):
                    raise  # it is not for the server's absence
            return super().get_new_connection(conn_params)

    @property
    def _data(self) -> Path:
        return Path(self.settings_dict["EMBEDDED"]["data"])

    @property
    def _fsync(self) -> bool:
        return bool(self.settings_dict["EMBEDDED"]["fsync"])


@contextmanager
def _as_operational_error() -> Iterator[None]:
    try:
        yield
    except EmbeddedError as error:
        raise OperationalError(str(error)) from error
