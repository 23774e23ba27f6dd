#!/usr/bin/env bash
# Runs a sweep on a real Slurm, a cluster of this one machine: submits what `sim slurm` prints, merges the parts as the head
# of that script says, and compares with one run of the whole. Where there is no Slurm, root installs Debian's; where that
# cannot be, this says that it was skipped, and why.
#
#   tests/slurm/run.sh target/release/sim
set -euo pipefail

skipped() {
    echo "skipped: $1" >&2
    exit 0
}

sim=$(realpath "${1:?the first argument is the program, such as target/release/sim}")
[ "$(uname)" = Linux ] || skipped "Slurm runs on Linux"
[ "$(id -u)" = 0 ] || skipped "daemons that start jobs are root's, and this is $(id -un)"
export PATH="$PATH:/usr/sbin"
has_slurm() {
    local program
    for program in slurmctld slurmd sbatch squeue sinfo; do
        command -v "$program" >/dev/null || return 1
    done
}
if ! has_slurm; then
    command -v apt-get >/dev/null || skipped "there is no Slurm, and no apt-get to install it"
    apt-get update -qq &&
        apt-get install -y -qq --no-install-recommends slurmctld slurmd slurm-client >/dev/null ||
        skipped "there is no Slurm, and its packages cannot be installed"
fi

folder=$(mktemp -d)
daemons=()
finish() {
    status=$?
    if [ "$status" != 0 ]; then
        tail -n 20 "$folder"/*.log "$folder"/work/slurm-*.out >&2 || true
    fi
    [ ${#daemons[@]} = 0 ] || kill "${daemons[@]}" 2>/dev/null || true
    wait || true
    rm -rf "$folder"
    exit "$status"
}
trap finish EXIT

# Without munge, systemd and cgroups, none of which a container has.
host=$(hostname -s)
port=$((20000 + $$ % 20000))
mkdir "$folder/state" "$folder/spool"
cat >"$folder/slurm.conf" <<CONF
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=root
SlurmdUser=root
AuthType=auth/none
CredType=cred/none
ProctrackType=proctrack/pgid
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_interval=1
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$host Default=YES State=UP
CONF
export SLURM_CONF="$folder/slurm.conf"
slurmctld -D >/dev/null 2>&1 &
daemons+=($!)
slurmd -D >/dev/null 2>&1 &
daemons+=($!)

# Waits until a command prints nothing, for so many seconds; prints the rest and fails otherwise.
until_nothing() {
    local seconds=$1
    shift
    for _ in $(seq "$((seconds * 4))"); do
        [ -n "$("$@")" ] || return 0
        sleep 0.25
    done
    "$@" >&2
    return 1
}
not_idle() {
    [ "$(sinfo -h -o %t 2>/dev/null)" = idle ] || echo "the node is not idle: $(sinfo -h -o '%t %E' 2>&1)"
}
# That they come up is no matter of ours.
if ! until_nothing 60 not_idle; then
    tail -n 5 "$folder"/*.log >&2 || true
    skipped "Slurm's daemons do not come up on this machine"
fi

mkdir "$folder/work" "$folder/bin"
ln -s "$sim" "$folder/bin/sim"
export PATH="$folder/bin:$PATH"
cd "$folder/work"
cat >"a sweep.ron" <<'RON'
Scenario(
    name: "sweep",
    market: (slots: 2, starts_at: "10h", open: (1, 2), gate_closure: "5min"),
    population: Synthetic(count: 6, pv_share: 0.6),
    record: Full,
    vary: {"delay": ["10ms", "200ms"]},
    replicates: 2,
)
RON
sim slurm "a sweep.ron" --tasks 3 --time 5 --format parquet >sweep.sh
bash -n sweep.sh
# The two commands that its head gives.
commands=$(sed -n 's/^#   //p' sweep.sh)
echo "$commands"
eval "$commands"
until_nothing 90 squeue -h -o '%i %j %t %r'
parts=(results/sweep.part-*-of-3/latest)
[ ${#parts[@]} = 3 ]

sim "a sweep.ron" --format parquet --out whole --quiet --no-report >/dev/null
# How it was made is another matter, which the manifest tells. Of the ledger the rows are the same.
diff --recursive --exclude manifest.json --exclude report.html --exclude figures --exclude ledger.db \
    results/sweep/latest/ whole/sweep/latest/
cmp <(sim ledger export results/sweep) <(sim ledger export whole/sweep)
sim ledger verify results/sweep >/dev/null
[ -s results/sweep/latest/report.html ]
echo "a job array of ${#parts[@]} tasks of Slurm $(sinfo --version | cut -d ' ' -f 2), merged, leaves what one run leaves"
