#!/usr/bin/env bash
# Opens the page in Chromium, and checks every view with axe-core.
#
#   bash tests/browser.sh        needs chromium, chromedriver and npm with its package registry
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm install --silent --no-audit --no-fund --prefix "$work" axe-core@4.14
AXE=$work/node_modules/axe-core/axe.min.js cargo test --locked --manifest-path tests/browser/Cargo.toml \
    --target-dir "${CARGO_TARGET_DIR:-target}" -- --ignored --test-threads 2
