"""Say in one line what is wrong with the Python that should build .venv.

Written so that any Python 3 can run it far enough to be told that it is too old.
"""

import sys


def fault(major: int, minor: int, has_venv: bool) -> "str | None":
    """The fault as a sentence, or None."""
    if (major, minor) < (3, 11):
        return (
            f"python3 is Python {major}.{minor}; Nacre wants 3.11 or later. "
            "Choose another: make demo PYTHON=python3.12"
        )
    if not has_venv:
        return (
            "python3 has no venv module. "
            f"On Debian and Ubuntu: apt-get install python{major}.{minor}-venv"
        )
    return None


def _has_venv() -> bool:
    try:
        import ensurepip  # noqa: F401  (what Debian leaves out of python3)
        import venv  # noqa: F401
    except ImportError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(fault(sys.version_info[0], sys.version_info[1], _has_venv()))
