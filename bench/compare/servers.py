"""Starts and stops the servers that are compared."""

import contextlib
import dataclasses
import os
import random
import shlex
import signal
import socket
import subprocess
import time


@dataclasses.dataclass(frozen=True)
class Server:
    name: str
    command: tuple  # "{port}" stands for the port to listen on
    environment: tuple = ()
    compress: tuple = ()  # what makes it compress; nothing if it cannot

    def compressing(self):
        return dataclasses.replace(self, command=self.command + self.compress)


def from_build(build):
    """Gives the servers that were built, and the names of those that were not."""
    peers = os.path.join(build, "bench", "peers")
    here = os.path.dirname(os.path.abspath(__file__))
    modules = os.path.join(build, "npm", "node_modules")
    candidates = [
        Server("wsio", (os.path.join(build, "examples", "wsio_echo"), "--host", "127.0.0.1", "--threads", "1", "--port", "{port}"),
               compress=("--compress", "shared")),
        *(Server(name, (os.path.join(peers, f"peer_{name}"), "--port", "{port}"), compress=("--compress",) if name == "beast" else ())
          for name in ("floor", "beast", "websocketpp", "libwebsockets")),
        Server("ws", ("node", os.path.join(here, "..", "peers", "ws.js"), "--port", "{port}"), (("NODE_PATH", modules),),
               ("--compress",)),
    ]
    there = [server for server in candidates
             if (os.path.isdir(os.path.join(modules, "ws")) if server.name == "ws" else os.path.exists(server.command[0]))]
    return there, [server.name for server in candidates if server not in there]


def from_option(text):
    """Makes a server out of NAME=COMMAND; without {port} in the command, "--port {port}" is added to it."""
    name, separator, command = text.partition("=")
    if not separator or not name or not command:
        raise SystemExit(f"error: --extra takes NAME=COMMAND, not '{text}'")
    words = tuple(shlex.split(command))
    if not any("{port}" in word for word in words):
        words += ("--port", "{port}")
    return Server(name, words)


def free_port():
    """Gives a port that is free, below those that the system gives to clients."""
    while True:
        port = random.randrange(15000, 32000)
        with socket.socket() as probe:
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port


def pinned(cpu):
    """Gives the words that keep a program on one processor; none when there is but one."""
    return ("taskset", "-c", str(cpu)) if os.cpu_count() > 1 else ()


def wait_until_listening(port, process):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        if process.poll() is not None:
            break
        time.sleep(0.01)
    raise RuntimeError("the server does not listen")


@contextlib.contextmanager
def running(server, prefix=()):
    """Runs a server on the first processor; gives its port and process id. `prefix` are words in front of its command."""
    port = free_port()
    words = [word.replace("{port}", str(port)) for word in server.command]
    process = subprocess.Popen([*pinned(0), *prefix, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env={**os.environ, **dict(server.environment)}, start_new_session=True)
    try:
        wait_until_listening(port, process)
        yield port, process.pid
    finally:
        # The whole group: a tracer has the server as its child.
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
                break
