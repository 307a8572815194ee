"""Where everything lies inside a job's container."""

from pathlib import PurePosixPath

ML = PurePosixPath("/opt/ml")
INPUT = ML / "input"
INPUT_DATA = INPUT / "data"
INPUT_CONFIG = INPUT / "config"
HYPERPARAMETERS = INPUT_CONFIG / "hyperparameters.json"
INPUT_DATA_CONFIG = INPUT_CONFIG / "inputdataconfig.json"
RESOURCE_CONFIG = INPUT_CONFIG / "resourceconfig.json"
CHECKPOINT_CONFIG = INPUT_CONFIG / "checkpointconfig.json"
MODEL = ML / "model"
CODE = ML / "code"
CHECKPOINTS = ML / "checkpoints"
OUTPUT = ML / "output"
OUTPUT_DATA = OUTPUT / "data"
OUTPUT_INTERMEDIATE = OUTPUT / "intermediate"
FAILURE = OUTPUT / "failure"
SUCCESS = OUTPUT / "success"
MESSAGE = OUTPUT / "message"
PROCESSING_CONFIG = ML / "config"

# Ours: the job's Python, and the source archive that the platform has fetched for the toolkit (in
# the service's images the toolkit fetches it itself).
TOOLS = PurePosixPath("/opt/nacre-job")
PYTHON = TOOLS / "bin" / "python"
SOURCE = TOOLS / "source"

DEFAULT_GROUP = "homogeneousCluster"
# All hosts of a local job share the machine's loopback device; there is no eth0 between them.
NETWORK_INTERFACE = "lo"
