"""`manage.py dbshell` on the bundled PostgreSQL, with the wheel's psql where the machine has none."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.db.backends.postgresql import client

from pushcenter.embedded import binaries, server


class DatabaseClient(client.DatabaseClient):
    @classmethod
    def settings_to_cmd_args_env(
        cls, settings_dict: dict[str, Any], parameters: Iterable[str]
    ) -> tuple[list[str], dict[str, str] | None]:
        embedded = settings_dict["EMBEDDED"]
        data = Path(embedded["data"])
        server.ensure_running(data, fsync=embedded["fsync"])
        params = server.connection_params(data)
        reached = {**settings_dict, "HOST": params["host"], "PORT": params["port"]}
        command, environment = super().settings_to_cmd_args_env(reached, parameters)
        if shutil.which(command[0]) is None:
            command[0] = str(binaries.programs(binaries.installed()) / "psql")
        return command, environment
