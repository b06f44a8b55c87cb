# SPDX-License-Identifier: MIT OR Apache-2.0
"""statsd and carbon with graphite-web in front of them."""

import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request

import server_statsd
from servers import Failure, Process, apt, free_ports, pip_install, run

# graphite-web wants a Django below 3.1
GRAPHITE, DJANGO = "1.1.10", "3.0.14"


def has_cairo():
    """Whether the library is there that draws graphite-web's pictures."""
    return "libcairo.so.2" in run(["/sbin/ldconfig", "-p"])


class Server(server_statsd.Server):
    name = "graphite"
    percentiles = (75, 95, 98, 99, 99.9)
    retention = "1s:6h"
    # a server is not asked for what came within a flush here, but for charts:
    # where nothing happened their lines are to be at 0
    delete_idle = False

    def __init__(self, build, work):
        super().__init__(build, work)
        self.web = None

    @staticmethod
    def install(build):
        if sys.version_info >= (3, 12):
            raise Failure(f"graphite-web {GRAPHITE} runs on Python 3.11 and older: this is {sys.version.split()[0]}")
        server_statsd.Server.install(build)
        pip_install(os.path.join(build, "web"), f"graphite-web=={GRAPHITE}", f"Django=={DJANGO}")
        if not has_cairo():
            apt("libcairo2")

    def launch(self):
        super().launch()
        # graphite-web looks once, when it starts, whether this folder exists
        os.makedirs(self.path("whisper"), exist_ok=True)
        web = os.path.join(self.build, "web")
        root = os.path.join(web, "opt", "graphite", "webapp")
        port, = free_ports(0, 1)
        self.web = f"http://127.0.0.1:{port}"
        self.write("demo_settings.py", f"""
SECRET_KEY = {os.urandom(24).hex()!r}
DEBUG = True        # so that it serves its scripts itself
ALLOWED_HOSTS = ["127.0.0.1"]
TIME_ZONE = "UTC"
CONF_DIR = STORAGE_DIR = LOG_DIR = {self.work!r}
WHISPER_DIR = {self.path("whisper")!r}
WEBAPP_DIR = {os.path.join(web, "webapp")!r}        # where its scripts are
CARBONLINK_HOSTS = ["127.0.0.1:{self.query}"]
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": {self.path("graphite.db")!r}}}}}
""")
        env = dict(os.environ, GRAPHITE_SETTINGS_MODULE="demo_settings", PYTHONDONTWRITEBYTECODE="1",
                   PYTHONPATH=os.pathsep.join([self.work, root, web, os.path.join(self.build, "pip")]))
        django = [sys.executable, "-W", "ignore", "-m", "django"]
        run(django + ["migrate", "--settings=graphite.settings", "--run-syncdb"], env=env, cwd=self.work)
        self.processes.append(Process(
            django + ["runserver", "--settings=graphite.settings", "--noreload", f"127.0.0.1:{port}"],
            self.path("web.log"), env=env, cwd=self.work))

    def is_up(self):
        try:
            return super().is_up() and self.get("/version") is not None
        except urllib.error.URLError:
            return False

    def get(self, path, **form):
        """What the web server says to a path, or to a form posted there."""
        data = urllib.parse.urlencode(form).encode() if form else None
        with urllib.request.urlopen(self.web + path, data, timeout=30) as answer:
            return answer.read()

    def render(self, target, start, end):
        """The series of a target by name: lists of (value, time)."""
        query = urllib.parse.urlencode({"target": target, "from": start, "until": end, "format": "json",
                                        "noCache": 1})
        return {series["target"]: series["datapoints"] for series in json.loads(self.get("/render?" + query))}
