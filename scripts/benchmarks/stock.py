"""What the provider's own deferrable operators need to wait: aiobotocore.

It asks for an older botocore than our lock has, so it cannot be installed beside it. It lies in a
folder of its own, which comes first on the PYTHONPATH of an Airflow that runs these operators.
"""

import subprocess
import sys
from pathlib import Path

from scripts.airflow_env import ROOT

# Without what these depend on: all of it is in our lock.
PACKAGES = (
    "aiobotocore==3.10.0",
    "aioitertools==0.13.0",
    "boto3==1.43.117",
    "botocore==1.43.117",
)
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
FOLDER = ROOT / "build" / "stock"


class NoPackagesError(Exception):
    """The packages could not be installed."""


def stock_packages() -> Path:
    """The folder with the packages; filled from the package registry when it is used first."""
    ready = FOLDER / "ready"
    wanted = "\n".join(PACKAGES)
    if not ready.exists() or ready.read_text(encoding="utf-8") != wanted:
        install()
        ready.write_text(wanted, encoding="utf-8")
    return FOLDER


def install() -> None:
    uv = [str(Path(sys.executable).parent / "uv"), "pip", "install", "--quiet", "--no-deps"]
    certificates = ["--system-certs"] if CERTIFICATES.exists() else []  # as in the Makefile
    into = ["--python", sys.executable, "--upgrade", "--target", str(FOLDER)]
    argv = [*uv, *certificates, *into, *PACKAGES]
    done = subprocess.run(argv, capture_output=True, text=True)
    if done.returncode:
        raise NoPackagesError(f"{', '.join(PACKAGES)} could not be installed:\n{done.stderr}")
