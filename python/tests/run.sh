#!/usr/bin/env bash
# Builds the Python package as the tests' programs are built, and tests it: its lints and types, and that its runs are those of the
# command.
#
#   python/tests/run.sh target/debug/sim target/python     with that command, in that virtual environment
set -euo pipefail

sim=$(realpath "${1:?the first argument is the program, such as target/debug/sim}")
environment=$(realpath "${2:?the second argument is a virtual environment of Python}")
cd "$(dirname "$0")/.."
repository=$(realpath ..)
export VIRTUAL_ENV=$environment PATH="$environment/bin:$PATH" CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$repository/target}/own

pip install --quiet --requirement tests/requirements.txt
cargo clippy --locked --no-default-features -- -D warnings
maturin develop --locked --profile dev --no-default-features
mypy microgrid_sim tests
SIM=$sim python -m pytest --quiet -p no:cacheprovider tests
