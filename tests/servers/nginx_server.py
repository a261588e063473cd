# SPDX-License-Identifier: Apache-2.0
"""nginx as the tests run it."""
import contextlib
import pathlib
import signal

from common import ADDRESS, children, running, wait_for, wait_for_port

PORT = 8080


class Nginx:
    def __init__(self, directory, workers, listen="", events=""):
        self._events = events
        self._config = pathlib.Path(directory, "nginx.conf")
        self._listen = listen
        self.configure(workers)

    def configure(self, workers):
        """Takes effect at the next start or reload."""
        self.wanted = workers
        directory = self._config.parent
        self._config.write_text(f"""
            daemon off; pid {directory}/pid; error_log {directory}/error.log;
            worker_processes {workers};
            events {{ {self._events} }}
            http {{
                access_log off;
                server {{ listen {ADDRESS}:{PORT} {self._listen}; return 200 "served\\n"; }}
            }}
        """)

    @contextlib.contextmanager
    def run(self):
        log = self._config.with_name("error.log")
        with running("nginx", "-c", self._config, "-e", log) as self._process:
            wait_for_port(PORT, self._process)
            wait_for("nginx's workers", lambda: len(self.workers) == self.wanted)
            yield self

    def log(self):
        return self._config.with_name("error.log").read_text()

    @property
    def pid(self):
        return self._process.pid

    @property
    def workers(self):
        return children(self.pid)

    def reload(self):
        """Returns when the workers are new ones, and the old ones have exited."""
        before = self.workers
        self._process.send_signal(signal.SIGHUP)
        wait_for("nginx's new workers",
                 lambda: len(self.workers) == self.wanted and not self.workers & before)

    def quit(self):
        """As a service manager stops it: what was accepted is served to its end."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()
