"""Checks the system calls that a unit allows, with groups expanded by systemd: setpriority is allowed, excess is not."""

import subprocess
import sys


def expand(name):
    if not name.startswith("@"):
        return {name}
    command = ["systemd-analyze", "syscall-filter", name]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    members = [line.strip() for line in text.splitlines()[1:]]
    return set().union(*[expand(member) for member in members if member and not member.startswith("#")])


allowed = set()
for line in open(sys.argv[1]):
    if line.startswith("SystemCallFilter="):
        names = line.split("=", 1)[1].strip()
        calls = set().union(*[expand(name) for name in names.lstrip("~").split()])
        allowed = allowed - calls if names.startswith("~") else allowed | calls

assert "setpriority" in allowed, "setpriority is denied"
missing = {"write", "fdatasync", "openat", "epoll_wait"} - allowed
assert not missing, f"system calls that the program needs are denied: {missing}"
extra = {"reboot", "mount", "sched_setscheduler", "setuid", "chroot"} & allowed
assert not extra, f"unneeded system calls are allowed: {extra}"
