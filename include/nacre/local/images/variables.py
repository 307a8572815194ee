"""The `SM_*` variables that a training toolkit gives to the script it runs.

Two flavours of the toolkit are in use: `C` (sagemaker-containers, in every XGBoost image) and `T`
(sagemaker-training, in scikit-learn's); T knows instance groups as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from include.nacre.local.images import arguments, layout
from include.nacre.local.images.registry import Family

Flavour = Literal["C", "T"]

# A family's toolkit: its flavour, and the module that its image names as the training's.
TOOLKITS: Mapping[Family, tuple[Flavour, str]] = {
    "xgboost": ("C", "sagemaker_xgboost_container.training:main"),
    "scikit-learn": ("T", "sagemaker_sklearn_container.training:main"),
}

# Reserved hyperparameters that the toolkit itself understands; others are framework parameters.
_TOOLKIT_HYPERPARAMETERS = frozenset(
    arguments.RESERVED_PREFIX + name
    for name in (
        "program",
        "submit_directory",
        "region",
        "job_name",
        "container_log_level",
        "enable_cloudwatch_metrics",
        "s3_output",
    )
)


@dataclass(frozen=True)
class TrainingFacts:
    """What a toolkit reads before it starts: the job's configuration files and its machine."""

    flavour: Flavour
    hyperparameters: Mapping[str, Any]
    resources: Mapping[str, Any]
    channels: Mapping[str, Any]
    job_name: str
    region: str
    module: str
    cpus: int
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def program(self) -> str | None:
        """The script to run: the variable's, else the hyperparameter's; none is algorithm mode."""
        given = self.environ.get("SAGEMAKER_PROGRAM") or self.hyperparameters.get(
            "sagemaker_program"
        )
        return str(given) if given else None

    @property
    def source(self) -> str:
        """Where the script's source is; in training the variable of that name is not asked."""
        return str(self.hyperparameters.get("sagemaker_submit_directory") or layout.CODE)

    @property
    def argv(self) -> list[str]:
        """The script's arguments."""
        words = arguments.to_argv(arguments.of_the_user(self.hyperparameters))
        if self.flavour == "T" and words:
            words[-1] = words[-1].strip('"')  # a quirk of the toolkit
        return words


def script_variables(facts: TrainingFacts) -> dict[str, str]:
    """Every variable that the toolkit adds to the environment of the script."""
    properties = training_properties(facts)
    channels = properties["channel_input_dirs"]
    variables: dict[str, Any] = {
        **{f"SM_{name.upper()}": properties[name] for name in _DIRECT if name in properties},
        **{f"SM_{variable}": properties[name] for variable, name in _RENAMED.items()},
        **{f"SM_CHANNEL_{name.upper()}": folder for name, folder in channels.items()},
        **{f"SM_HP_{name.upper()}": v for name, v in properties["hyperparameters"].items()},
        "SM_CHANNELS": sorted(channels),
        "SM_USER_ARGS": facts.argv,
        "SM_TRAINING_ENV": properties,
        "SAGEMAKER_JOB_NAME": facts.job_name,
        "SAGEMAKER_REGION": facts.region,
        "CURRENT_HOST": properties["current_host"],
    }
    return {name: arguments.to_variable(value) for name, value in variables.items()}


def training_properties(facts: TrainingFacts) -> dict[str, Any]:
    """The content of `SM_TRAINING_ENV`."""
    program = facts.program or ""
    hosts = facts.resources["hosts"]
    properties = {
        "additional_framework_parameters": _framework_parameters(facts.hyperparameters),
        "channel_input_dirs": {name: str(layout.INPUT_DATA / name) for name in facts.channels},
        "current_host": facts.resources["current_host"],
        "framework_module": facts.module,
        "hosts": hosts,
        "hyperparameters": arguments.of_the_user(facts.hyperparameters),
        "input_config_dir": str(layout.INPUT_CONFIG),
        "input_data_config": facts.channels,
        "input_dir": str(layout.INPUT),
        "is_master": facts.resources["current_host"] == sorted(hosts)[0],
        "job_name": facts.job_name,
        "log_level": _log_level(facts.hyperparameters),
        "master_hostname": sorted(hosts)[0],
        "model_dir": str(layout.MODEL),
        "module_dir": facts.source,
        "module_name": program.removesuffix(".py"),
        "network_interface_name": facts.resources["network_interface_name"],
        "num_cpus": facts.cpus,
        "num_gpus": 0,
        "output_data_dir": str(layout.OUTPUT_DATA),
        "output_dir": str(layout.OUTPUT),
        "output_intermediate_dir": str(layout.OUTPUT_INTERMEDIATE),
        "resource_config": facts.resources,
        "user_entry_point": program,
    }
    return properties | (_group_properties(facts) if facts.flavour == "T" else {})


def _group_properties(facts: TrainingFacts) -> dict[str, Any]:
    groups = {group["instance_group_name"]: group for group in facts.resources["instance_groups"]}
    current = facts.resources["current_group_name"]
    chosen = facts.hyperparameters.get("sagemaker_distribution_instance_groups") or []
    return {
        "current_instance_group": current,
        "current_instance_group_hosts": groups[current]["hosts"],
        "current_instance_type": facts.resources["current_instance_type"],
        "distribution_hosts": [host for name in chosen for host in groups[name]["hosts"]],
        "distribution_instance_groups": chosen,
        "instance_groups": list(groups),
        "instance_groups_dict": groups,
        "is_hetero": len(groups) > 1,
        "num_neurons": 0,
    }


def _framework_parameters(hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in hyperparameters.items()
        if name.startswith(arguments.RESERVED_PREFIX) and name not in _TOOLKIT_HYPERPARAMETERS
    }


def _log_level(hyperparameters: Mapping[str, Any]) -> int:
    return int(hyperparameters.get("sagemaker_container_log_level", 20))


# Properties that are a variable of the same name.
_DIRECT = (
    "current_host",
    "current_instance_group",
    "current_instance_group_hosts",
    "current_instance_type",
    "distribution_instance_groups",
    "framework_module",
    "hosts",
    "input_config_dir",
    "input_data_config",
    "input_dir",
    "instance_groups",
    "instance_groups_dict",
    "is_hetero",
    "log_level",
    "model_dir",
    "module_dir",
    "module_name",
    "network_interface_name",
    "num_cpus",
    "num_gpus",
    "num_neurons",
    "output_data_dir",
    "output_dir",
    "output_intermediate_dir",
    "resource_config",
    "user_entry_point",
)
_RENAMED = {"HPS": "hyperparameters", "FRAMEWORK_PARAMS": "additional_framework_parameters"}
