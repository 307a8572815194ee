"""boto3's models of the services: read once in a process, for all that it forks, too.

boto3 reads SageMaker's model anew for every session: three megabytes of JSON, a fifth of a second
for what a task's process needs once. Airflow's workers fork such a process for every task, so what
the plugin has read before, none of them reads.
"""

from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import boto3
    from botocore.loaders import Loader

USUAL_SERVICE, ANY_REGION = "sagemaker", "us-east-1"


@cache
def models() -> "Loader":
    """Return what reads the models, and keeps those that it has read."""
    from botocore.loaders import create_loader

    return create_loader()


def shared(session: "boto3.Session") -> "boto3.Session":
    """Let a session take the models that are there; not where its config has a folder of its own
    for them.
    """
    core = session._session  # noqa: SLF001  (what boto3 stands on; it has no other way to it)
    if core.get_config_variable("data_path") is None:
        core.register_component("data_loader", models())
    return session


def preload() -> None:
    """Read what the first client of SageMaker needs, without any credentials or calls."""
    import boto3
    from botocore.exceptions import BotoCoreError

    # AWS's own settings may be wrong, or not for here: whoever makes a real client is told then.
    with suppress(BotoCoreError):
        session = boto3.Session("none", "none", region_name=ANY_REGION)
        shared(session).client(USUAL_SERVICE)
