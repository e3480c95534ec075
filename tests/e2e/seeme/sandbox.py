"""A sandbox of SeeMe.ai in a process of its own, and what checks have in common."""

import json
import os
import re
import subprocess
import sys
import urllib.request

from seeme import Client

BINARY = os.path.abspath(sys.argv[1])
KEY = "seeme-test-helena"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x08\0\0\0\x08\x08\x06\0\0\0 and so on"


class Sandbox:
    """A sandbox of our own, in a process of its own."""

    def __init__(self, *arguments):
        command = [BINARY, "sandbox", "seeme", "--port", "0", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self.environment = {}
        while "SEEME_BACKEND" not in self.environment:
            line = self.process.stdout.readline()
            if not line:
                raise RuntimeError(f"the sandbox did not start: {command}")
            if said := re.match(r"export (\w+)=(.*)", line):
                self.environment[said[1]] = said[2]
        self.backend = self.environment["SEEME_BACKEND"]
        self.url = self.backend.removesuffix("/api/v1/")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()

    def own(self, path, method="GET"):
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/_sandbox/{path}", method=method), timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def state(self):
        return self.own("state")

    def journal(self):
        """What came in since the last time."""
        seen = self.own("journal")
        self.own("journal", "DELETE")
        return seen

    def client(self, key=KEY):
        client = Client(username="helena", apikey=key, backend=self.backend, env_file="/dev/null")
        self.journal()
        return client
