"""The Python that a job finds on its PATH, and the commands of its image.

The job's Python is the one that runs this, with all that is installed beside it, as a virtual
environment of the job's own: what a job installs lands there, and is gone with it.
"""

import site
import sys
import sysconfig
from pathlib import Path

from include.nacre.local.images import layout

# The folder that `include` lies in.
PROJECT = Path(__file__).resolve().parents[4]

_PTH = "import site; {calls}\n"
_PIP = """\
import sys
from pip._internal.cli.main import main
sys.exit(main())
"""
# The toolkits are ours: unlike what the user runs they may keep what Python makes of their source.
_TRAIN = """\
import sys
sys.dont_write_bytecode = False
sys.path.append({project!r})
from include.nacre.local.images.train import main
sys.exit(main({image!r}, frozenset([sys.path[0], {project!r}])))
"""
_SERVE = """\
import sys
sys.dont_write_bytecode = False
sys.path.append({project!r})
from include.nacre.local.images.serve import main
sys.exit(main({image!r}))
"""


def make_tools(folder: Path, image: str) -> None:
    """Fill the folder that the job sees as /opt/nacre-job; `image` is a known image's name."""
    base = Path(sys.executable).resolve()
    bin_folder = folder / "bin"
    bin_folder.mkdir(parents=True)
    for name in ("python", "python3", f"python{sys.version_info[0]}.{sys.version_info[1]}"):
        (bin_folder / name).symlink_to(base)
    for name, text in (("pip", _PIP), ("pip3", _PIP), ("train", _TRAIN), ("serve", _SERVE)):
        _write_command(bin_folder / name, text.format(project=str(PROJECT), image=image))
    (folder / "pyvenv.cfg").write_text(f"home = {base.parent}\n", encoding="utf-8")
    packages = _site_packages(folder)
    packages.mkdir(parents=True)
    calls = "; ".join(f"site.addsitedir({path!r})" for path in site.getsitepackages())
    (packages / "nacre_project.pth").write_text(_PTH.format(calls=calls), encoding="utf-8")


def needed_paths() -> list[str]:
    """Folders of the machine that a job cannot do without, wherever they lie."""
    paths = {Path(sys.prefix), Path(sys.base_prefix), PROJECT, *map(Path, site.getsitepackages())}
    paths.add(Path(sys.executable).resolve().parent.parent)
    return sorted(str(path) for path in paths if path.is_dir())


def _site_packages(folder: Path) -> Path:
    variables = {"base": str(folder), "platbase": str(folder)}
    return Path(sysconfig.get_path("purelib", "venv", variables))


def _write_command(path: Path, text: str) -> None:
    path.write_text(f"#!{layout.PYTHON}\n{text}", encoding="utf-8")
    path.chmod(0o755)
