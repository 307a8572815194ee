"""The environment variables that a job's command starts with."""

from collections.abc import Mapping

from include.nacre.local.images import layout
from include.nacre.local.images.registry import Family
from include.nacre.local.images.variables import TOOLKITS
from include.nacre.local.jobs.spec import JobSpec

# What a job needs of this machine's own setup: where to get packages from, whom to trust, whose
# caches to use, how many threads to run.
_INHERITED = frozenset(
    {
        "HOME",
        "LD_LIBRARY_PATH",
        "OMP_NUM_THREADS",
        "CURL_CA_BUNDLE",
        "REQUESTS_CA_BUNDLE",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "ALL_PROXY",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
    }
)
_INHERITED_PREFIXES = ("PIP_", "UV_")

# As in the containers, where the time zone is UTC and a log line appears when it is written.
_BASE = {
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "PYTHONUNBUFFERED": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONIOENCODING": "UTF-8",
    # Jobs share this machine's cores with each other. Threads of OpenMP that spin while they wait
    # make XGBoost many times slower as soon as something else runs beside it.
    "OMP_WAIT_POLICY": "PASSIVE",
}
_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def base_environment(
    spec: JobSpec, of_the_place: Mapping[str, str], machine: Mapping[str, str]
) -> dict[str, str]:
    """What every job has: the machine's setup, the place's endpoints, and where it is."""
    inherited = {name: value for name, value in machine.items() if _is_inherited(name)}
    path = f"{layout.TOOLS / 'bin'}:{machine.get('PATH') or _DEFAULT_PATH}"
    region = {"AWS_REGION": spec.region}
    return {**_BASE, **inherited, **region, **of_the_place, "PATH": path}


def image_environment(family: Family) -> dict[str, str]:
    """What the family's training and serving images set themselves."""
    return {
        "SM_INPUT": str(layout.INPUT),
        "SM_INPUT_TRAINING_CONFIG_FILE": str(layout.HYPERPARAMETERS),
        "SM_INPUT_DATA_CONFIG_FILE": str(layout.INPUT_DATA_CONFIG),
        "SM_CHECKPOINT_CONFIG_FILE": str(layout.CHECKPOINT_CONFIG),
        "SM_MODEL_DIR": str(layout.MODEL),
        "SAGEMAKER_TRAINING_MODULE": TOOLKITS[family][1],
    }


def _is_inherited(name: str) -> bool:
    return name.upper() in _INHERITED or name.startswith(_INHERITED_PREFIXES)
