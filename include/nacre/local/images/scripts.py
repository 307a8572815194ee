"""Script mode: put the user's source in place, install what it needs, start its entry point."""

import os
import shlex
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from include.nacre.local.images.announce import announce
from include.nacre.local.images.archives import ArchiveError, unpack
from include.nacre.local.images.errors import UserError
from include.nacre.local.images.variables import Flavour

# What is installed beside the job's own packages is ours: nobody asked whether it agrees with them.
_PIP = (
    *("-m", "pip", "install", "--disable-pip-version-check"),
    *("--root-user-action=ignore", "--no-warn-conflicts"),
)


class ScriptError(Exception):
    """A command of the user's failed; `kind` is what the toolkits call the failure."""

    def __init__(self, kind: str, command: Sequence[str], exit_code: int) -> None:
        super().__init__(kind, command, exit_code)
        self.kind, self.command, self.exit_code = kind, tuple(command), exit_code

    def text(self, flavour: Flavour) -> str:
        """The failure as the toolkit of this flavour writes it."""
        lines = [f"{self.kind}:"]
        if flavour == "T":
            lines += [f"ExitCode {self.exit_code}", 'ErrorMessage ""']
            if self.exit_code == 137:
                lines += ['ExtraInfo "OutOfMemory: Process killed by SIGKILL (signal 9)"']
        return "\n".join([*lines, f'Command "{shlex.join(self.command)}"'])


def place_source(source: str, fetched: Path, code: Path) -> None:
    """Fill the code folder from the source, unless there is something in it already.

    A source in S3 has been fetched by the platform; a local one is a folder, a tar file or a
    single file.
    """
    code.mkdir(parents=True, exist_ok=True)
    if any(code.iterdir()):
        return
    path = fetched if source.startswith("s3://") else Path(source)
    if path.is_dir():
        if path != code:
            shutil.copytree(path, code, dirs_exist_ok=True)
    elif not path.is_file():
        raise UserError(f"The source {source} does not exist")
    elif tarfile.is_tarfile(path):
        try:
            unpack(path, code)
        except ArchiveError as fault:
            raise UserError(f"The source {source} cannot be unpacked: {fault}") from fault
    elif source.startswith("s3://"):
        raise UserError(f"The source {source} is no gzipped tar archive")
    else:
        shutil.copy(path, code)


def install(code: Path, flavour: Flavour) -> None:
    """Install the source's requirements, and the source itself if it is a package."""
    arguments = []
    if (code / "setup.py").is_file():
        # Without a pyproject.toml nothing says what to build with but what is installed.
        isolated = [] if (code / "pyproject.toml").is_file() else ["--no-build-isolation"]
        arguments += [*isolated, "."]
    if (code / "requirements.txt").is_file():
        arguments += ["-r", "requirements.txt"]
    if arguments:
        kind = "InstallRequirementsError" if flavour == "T" else "InstallModuleError"
        _run([sys.executable, *_PIP, *arguments], os.environ, code, kind)


def entry_command(program: str, code: Path, flavour: Flavour, argv: Sequence[str]) -> list[str]:
    """The command that runs an entry point: a shell script, a package, a Python file, or another.

    The C flavour makes a package of every source, so that a Python file runs as a module.
    """
    is_python = program.endswith(".py")
    is_package = (code / "setup.py").is_file() or (flavour == "C" and is_python)
    if not program.endswith(".sh") and is_package:
        return [sys.executable, "-m", program.removesuffix(".py"), *argv]
    if is_python:
        return [sys.executable, program, *argv]
    return ["/bin/sh", "-c", shlex.join([f"./{program}", *argv])]


def run_entry(
    program: str, code: Path, flavour: Flavour, argv: Sequence[str], env: Mapping[str, str]
) -> None:
    """Run the entry point in the code folder; a ScriptError if it fails."""
    command = entry_command(program, code, flavour, argv)
    if command[0] == "/bin/sh" and (code / program).is_file():
        (code / program).chmod(0o777)
    announce(f"Invoking user script: {shlex.join(command)}")
    _run(command, {**os.environ, **env}, code, "ExecuteUserScriptError")


def _run(command: Sequence[str], env: Mapping[str, str], cwd: Path, kind: str) -> None:
    code = subprocess.run(command, env=env, cwd=cwd, check=False).returncode
    if code != 0:
        raise ScriptError(kind, command, code if code > 0 else 128 - code)
