"""What holds and what does not, counted for the programs beside this one."""

import sys

passed = 0
failed = 0


def check(what, holds, seen=""):
    global passed, failed
    if holds:
        passed += 1
    else:
        failed += 1
        print(f"FAILED {what}: {seen}", flush=True)


def end(name):
    """Says how it went and ends the program."""
    print(f"{name}: {passed} passed, {failed} failed", flush=True)
    sys.exit(failed > 0)
