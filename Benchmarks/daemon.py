"""A store of its own and a daemon on it, for the programs that measure."""

import contextlib
import os
import platform
import signal
import socket
import subprocess
import time


def machine():
    """What a run was made on, and how busy that was before."""
    with open("/proc/cpuinfo") as lines:
        processor = next((line.split(": ")[1].strip() for line in lines if line.startswith("model name")), "?")
    return f"{os.cpu_count()} cores of {processor}, Linux {platform.release()}; load before the run: {os.getloadavg()[0]:.2f}"


class Store:
    """A new embedded store with the admin ada. It is below the directory that is named."""

    def __init__(self, ems, place):
        self.ems = ems
        self.path = f"{place}/data/ems.db"
        self.environment = {
            **os.environ, "EMS_DATA_DIR": f"{place}/data", "BCRYPT_SALT_ROUNDS": "4", "RATE_LIMIT_ENABLED": "false",
        }
        self.run("user", "create", "ada", "--email", "ada@example.com", "--role", "admin", "--password-stdin", text="Example123!\n")

    def run(self, *arguments, text=None):
        """Runs a command. Returns what it printed."""
        command = [self.ems, *arguments]
        return subprocess.run(command, env=self.environment, input=text, capture_output=True, text=True, check=True).stdout

    def token(self):
        return self.run("token", "issue", "--user", "ada").strip()

    @contextlib.contextmanager
    def serving(self):
        """Runs a daemon. Gives its process and its port, once it accepts connections."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        daemon = subprocess.Popen([self.ems, "serve", "--port", str(port)], env=self.environment, stderr=subprocess.DEVNULL)
        try:
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except ConnectionError:
                    time.sleep(0.01)
            yield daemon, port
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait()
