"""Bring Airflow's database up to date and load airflow_settings.yaml into it.

Run with Airflow's environment set: `python -m scripts.load_settings [FILE]`. The file is the
one source: what it names is overwritten, what it does not name is left alone.
"""

import sys
from pathlib import Path

from airflow.models import Connection, Pool, Variable
from airflow.utils import db
from airflow.utils.session import create_session

from scripts.settings import Connection as ConnectionSetting
from scripts.settings import Settings, SettingsError, read_settings


def load(settings: Settings) -> None:
    """Create or migrate the database, then write the settings into it."""
    db.initdb()
    with create_session() as session:
        for setting in settings.connections:
            session.query(Connection).filter(Connection.conn_id == setting.conn_id).delete()
            session.add(_connection(setting))
    for pool in settings.pools:
        Pool.create_or_update_pool(
            pool.name, pool.slots, pool.description, include_deferred=pool.include_deferred
        )
    for variable in settings.variables:
        Variable.set(variable.key, variable.value)


def _connection(setting: ConnectionSetting) -> Connection:
    return Connection(
        conn_id=setting.conn_id,
        conn_type=setting.conn_type,
        host=setting.host,
        schema=setting.schema,
        login=setting.login,
        password=setting.password,
        port=setting.port,
        extra=dict(setting.extra),
    )


def main() -> int:
    try:
        settings = read_settings(Path(sys.argv[1]))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    load(settings)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
