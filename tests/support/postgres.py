"""A PostgreSQL of a test's own, from the machine's packages, beside any that runs already."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg2

from scripts.ports import free_port

OWNER = "postgres"
_START_SECONDS = 60
# Where distributions keep what they do not put on PATH.
_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")
# Not a victim of the tests, so it need not survive anything.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    # What a scheduler held that was killed, and whose workers still have its connections open.
    "idle_in_transaction_session_timeout": "45s",
}


def programs() -> Path | None:
    """The folder of the newest PostgreSQL's programs, if there is one here that we may run."""
    found = shutil.which("initdb")
    places = [Path(found).parent] if found else []
    places += [path for place in _PLACES for path in Path("/").glob(place[1:])]
    with_server = [path for path in places if (path / "postgres").exists()]
    return max(with_server, key=_version, default=None) if _may_run() else None


def _may_run() -> bool:
    """It refuses root, who lends it the user that its package has made."""
    return os.geteuid() != 0 or OWNER in {entry.pw_name for entry in pwd.getpwall()}


def _version(folder: Path) -> int:
    return int("".join(filter(str.isdigit, folder.parent.name)) or 0)


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run a database until the end of the block; its address for a driver: `user:pw@host:port/db`.

    `folder` gets its log. Its data lie in a folder of their own: its user may not look into ours.
    """
    bin_folder = programs()
    assert bin_folder is not None
    user = _user()
    with tempfile.TemporaryDirectory(prefix="nacre-postgres-") as made:
        home = Path(made)
        if user:
            shutil.chown(home, **user)
        password, port = secrets.token_hex(16), free_port()
        with (folder / "postgres.log").open("wb") as log:
            _make(bin_folder, home, password, user, log)
            process = _serve(bin_folder, home, port, user, log)
            try:
                _wait(process, port, password, folder / "postgres.log")
                yield f"airflow:{password}@127.0.0.1:{port}/postgres"
            finally:
                process.send_signal(signal.SIGINT)  # without waiting for those who are connected
                with suppress(subprocess.TimeoutExpired):
                    process.wait(20)
                process.kill()
                process.wait()


def _user() -> dict[str, str]:
    return {"user": OWNER, "group": OWNER} if os.geteuid() == 0 else {}


def _make(folder: Path, home: Path, password: str, user: dict[str, Any], log: Any) -> None:
    secret = home / "password"
    secret.write_text(password)
    if user:
        shutil.chown(secret, **user)
    argv = [str(folder / "initdb"), "-D", str(home / "data"), "-U", "airflow", "--no-sync"]
    argv += ["--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8", "--locale=C"]
    subprocess.run(argv, check=True, stdout=log, stderr=log, cwd=home, **user)


def _serve(
    folder: Path, home: Path, port: int, user: dict[str, Any], log: Any
) -> "subprocess.Popen[bytes]":
    argv = [str(folder / "postgres"), "-D", str(home / "data"), "-p", str(port)]
    argv += ["-k", str(home)]
    argv += [f"--{name}={value}" for name, value in _SETTINGS.items()]
    return subprocess.Popen(argv, stdout=log, stderr=log, cwd=home, start_new_session=True, **user)


def _wait(process: "subprocess.Popen[bytes]", port: int, password: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg2.connect(
                host="127.0.0.1", port=port, user="airflow", password=password, dbname="postgres"
            ).close()
        except psycopg2.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}") from None
            time.sleep(0.1)
        else:
            return
