"""The sandbox as a process, and what the parts of this test have in common."""

import json
import subprocess
import urllib.request

from checks import check
from openai import OpenAI


def same(what, seen, wanted):
    check(what, seen == wanted, f"{seen!r} instead of {wanted!r}")


class Sandbox:
    """`BINARY sandbox openai` on a free port."""

    def __init__(self, binary, *arguments):
        self.process = subprocess.Popen([binary, "sandbox", "openai", "--port", "0", *arguments], stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split(" at ")[1].split(";")[0]
        lines = [self.process.stdout.readline() for _ in range(2)]
        self.environment = dict(line.removeprefix("export ").strip().split("=", 1) for line in lines)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def client(self, key=None, **options):
        """The official client as an operator has it, without the ordinary key."""
        key = key or self.environment["OPENAI_ADMIN_KEY"]
        return OpenAI(admin_api_key=key, base_url=self.environment["ROLECALL_OPENAI_BASE_URL"], max_retries=0, **options)

    def own(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_sandbox/{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def state(self):
        return self.own("GET", "state")

    def journal(self):
        return self.own("GET", "journal")

    def forget(self):
        self.own("DELETE", "journal")
