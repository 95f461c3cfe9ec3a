#!/usr/bin/env bash
# Feeds the parser, both gates, queries and cursors with what nobody would send, each for some seconds.
#
#   bash tests/fuzz/run.sh [SECONDS]      needs the nightly toolchain; installs cargo-fuzz where it is missing
#
# A crash ends it and leaves its input in tests/fuzz/artifacts; it becomes a test.
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:-60}
command -v cargo-fuzz >/dev/null || cargo install --quiet --locked cargo-fuzz

cargo run --quiet --bin seeds
for target in parser forwarded_for authorization query cursor; do
    echo "fuzzing $target for $seconds s"
    cargo +nightly fuzz run --fuzz-dir . "$target" -- \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 2>&1 |
        grep -E 'stat::number_of_executed_units|stat::peak_rss|ERROR|panicked|SUMMARY|Test unit written' || true
    [ -z "$(ls -A "artifacts/$target" 2>/dev/null)" ] || { echo "$target: see artifacts/$target" >&2; exit 1; }
done
