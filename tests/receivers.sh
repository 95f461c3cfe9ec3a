#!/usr/bin/env bash
# Runs the receivers of docs/forwarding.md, and checks signatures with the libraries of Standard Webhooks and of Svix.
#
#   bash tests/receivers.sh        needs Python 3 and its package registry, Node 20, PHP 8 and Go 1.19
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for needed in node php go; do
    command -v "$needed" >/dev/null || { echo "$needed is missing" >&2; exit 1; }
done
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'standardwebhooks==1.1.0' 'svix==2.9.1'

target=${CARGO_TARGET_DIR:-$PWD/target}
cargo build --locked --quiet --bin green-inbox
cargo build --locked --quiet --manifest-path tests/receivers/Cargo.toml --target-dir "$target"
"$work/venv/bin/python" tests/receivers/check.py "$target/debug/green-inbox" "$target/debug/verify" "$work"
