#!/usr/bin/env bash
# Runs studies with `sim-mpi` on one, two and three ranks of this machine, over its memory and over TCP, and compares what they
# leave with what `sim` leaves; ends runs in every way there is, and finishes them. Where there is no Open MPI, root installs
# Debian's; where that cannot be, this says that it was skipped, and why.
#
#   tests/mpi/run.sh target/debug/sim
#   tests/mpi/run.sh target/release/sim release     with that profile
set -euo pipefail

skipped() {
    echo "skipped: $1" >&2
    exit 0
}

sim=$(realpath "${1:?the first argument is the program, such as target/debug/sim}")
profile=${2:-dev}
repository=$(realpath "$(dirname "$0")/../..")
has_mpi() {
    command -v mpirun >/dev/null && command -v mpicc >/dev/null &&
        compgen -G "/usr/lib/llvm-*/lib/libclang*.so*" >/dev/null
}
if ! has_mpi; then
    [ "$(id -u)" = 0 ] || skipped "there is no Open MPI with libclang, and $(id -un) cannot install them"
    command -v apt-get >/dev/null || skipped "there is no Open MPI with libclang, and no apt-get to install them"
    apt-get update -qq &&
        apt-get install -y -qq --no-install-recommends libopenmpi-dev openmpi-bin libclang-dev >/dev/null ||
        skipped "there is no Open MPI with libclang, and their packages cannot be installed"
fi
# With what the Python package is built of too: neither is of the workspace.
target=${CARGO_TARGET_DIR:-$repository/target}/own
cargo build --quiet --locked --profile "$profile" --manifest-path "$repository/crates/mpi/Cargo.toml" --target-dir "$target" \
    --no-default-features --bins --examples
built=$target/${profile/#dev/debug}
sim_mpi=$built/sim-mpi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
launch=(mpirun --oversubscribe --bind-to none)
tcp=(--mca pml ob1 --mca btl tcp,self)

fail() {
    echo "failed: $1" >&2
    [ ! -e said ] || cat said >&2
    exit 1
}
# What a run leaves is what `sim` has left in `whole`. How it was made is another matter, which the manifest tells. Of the
# ledger the rows are the same.
same() {
    diff --recursive --exclude manifest.json --exclude report.html --exclude figures --exclude ledger.db "$1" "$2" ||
        fail "$1 is not $2"
    [ ! -e "$2/ledger.db" ] || cmp <("$sim" ledger export "$1") <("$sim" ledger export "$2") || fail "ledger of $1"
}
# The exit code has to be this one, and something like this has to be said.
expect() {
    local code=$1 text=$2 got=0
    shift 2
    "$@" >said 2>&1 || got=$?
    [ "$got" = "$code" ] || fail "exit code $got, not $code: $*"
    grep -q -- "$text" said || fail "nobody says: $text"
}

cat >noon.ron <<'RON'
Scenario(
    name: "noon",
    market: (slots: 1, starts_at: "12h", open: (1, 1)),
    population: Synthetic(count: 1000, pv_share: 0.25, workplace_share: 0.0),
    ledger: (peers: 4),
    learning: (choice_set: Sample(16), tolerance: 1e-4),
    record: Full,
)
RON
cat >day.ron <<'RON'
Scenario(
    name: "day",
    market: (slots: 24, open: (1, 24), gate_closure: "20min"),
    population: Synthetic(count: 200),
    learning: (tolerance: 1e-4),
    record: Full,
)
RON
cp "$repository/scenarios/5_prosumers.ron" .
cp -r "$repository/scenarios/data" .
for scenario in 5_prosumers noon day; do
    "$sim" $scenario.ron --out whole --quiet --no-report >/dev/null
done

runs=0
for scenario in 5_prosumers noon; do
    for ranks in 1 2 3; do
        for transport in "" "${tcp[*]}"; do
            # Rank 0 alone says where the results are.
            # shellcheck disable=SC2086
            "${launch[@]}" $transport -n $ranks "$sim_mpi" $scenario.ron --quiet --no-report >said || fail "$scenario"
            [ "$(wc -l <said)" = 1 ] || fail "one line was to be said"
            same "$(cat said)" "whole/$scenario/latest"
            runs=$((runs + 1))
        done
    done
done

# Bad input, on all ranks or on one.
sed 's/1e-4/1e-3/' noon.ron >other.ron
expect 2 "there is no knob or path" "${launch[@]}" -n 2 "$sim_mpi" noon.ron --set nonsense=1
expect 2 "ranks see different files: rank 1" "${launch[@]}" -n 1 "$sim_mpi" noon.ron : -n 1 "$sim_mpi" other.ron
expect 2 "rank 2 says: .*missing.ron" "${launch[@]}" -n 2 "$sim_mpi" noon.ron : -n 1 "$sim_mpi" missing.ron
expect 2 "wall clock" "${launch[@]}" -n 2 "$sim_mpi" noon.ron --set 'clock=Wall(speed: 60)'

# A panic on a rank ends all, and leaves what can be finished.
expect 1 "rank 1 panicked: out of order" "${launch[@]}" -n 2 "$built/examples/broken" day.ron --out panic --no-report
"$sim" resume panic/day --quiet --no-report >/dev/null
same panic/day/latest whole/day/latest

# So do signals, to `mpirun`, to all ranks as Slurm sends them or to one, and the loss of a rank in the middle of a run.
for end in mpirun ranks one loss; do
    "${launch[@]}" -n 2 "$sim_mpi" day.ron --out $end --no-report >said 2>&1 &
    mpirun=$!
    until [ "$(cat $end/day/latest/slots.csv 2>/dev/null | wc -l)" -gt 3 ]; do
        kill -0 $mpirun || fail "it has ended before its time"
        sleep 0.05
    done
    # shellcheck disable=SC2046
    case $end in
    mpirun) kill -INT $mpirun ;;
    ranks) kill -TERM $(pgrep -P $mpirun) ;;
    one) kill -INT "$(pgrep -P $mpirun -n)" ;;
    loss) kill -KILL "$(pgrep -P $mpirun -n)" ;;
    esac
    if wait $mpirun; then fail "a run that was ended early has succeeded"; fi
    case $end in
    mpirun) ;;
    ranks | one) grep -q "error: interrupted" said || fail "nobody tells of the signal" ;;
    loss) grep -q "exited on signal 9" said || fail "nobody tells of the loss" ;;
    esac
    case $end in
    ranks | loss) "$sim" resume $end/day --quiet --no-report >/dev/null ;;
    *) "${launch[@]}" -n 3 "$sim_mpi" day.ron --out $end --resume --quiet --no-report >/dev/null ;;
    esac
    [ "$(find $end/day -mindepth 1 -maxdepth 1 -type d | wc -l)" = 1 ] || fail "it was not gone on with"
    same $end/day/latest whole/day/latest
done
echo "$runs runs on one, two and three ranks of MPI leave what one process leaves, and so do those that were ended early"
