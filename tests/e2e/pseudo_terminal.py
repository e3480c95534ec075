"""A person at a terminal, for the programs beside this one."""

import os
import pty
import re
import select
import signal
import time


def run(arguments, environment, answer, interrupt=None, seconds=60):
    """Runs a program at a terminal and types once it has been silent for a moment: `answer`, or what `answer` makes of the
    screen. Types Ctrl-C instead when what `interrupt` describes is on the screen.

    Gives its exit code and what was on the screen."""
    child, terminal = pty.fork()
    if child == 0:
        os.execve(arguments[0], arguments, environment)
    screen, typed, heard = b"", False, time.monotonic()
    deadline = heard + seconds
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                some = os.read(terminal, 65536)
            except OSError:  # the other side of a terminal that is closed
                break
            if not some:
                break
            screen, heard = screen + some, time.monotonic()
            if interrupt and not typed and re.search(interrupt, plain(screen)):
                os.write(terminal, b"\x03")
                typed = True
        elif screen and not typed and time.monotonic() - heard > 0.5:
            text = answer(plain(screen)) if callable(answer) else answer
            os.write(terminal, text.encode() + b"\r")
            typed = True
    else:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), plain(screen)


def plain(screen):
    """What is on it, without colours and movements."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.decode(errors="replace"))
