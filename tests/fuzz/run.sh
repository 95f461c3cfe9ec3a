#!/usr/bin/env bash
# Fuzzes the parser, both gates, queries and cursors, each for some seconds, two targets at a time.
#
#   bash tests/fuzz/run.sh [SECONDS]      needs the nightly toolchain; installs cargo-fuzz if it is missing
#   bash tests/fuzz/run.sh build          only compiles them
#
# A crash ends its target and leaves the input in tests/fuzz/artifacts. Add that input as a test.
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:-60}
command -v cargo-fuzz >/dev/null || cargo install --quiet --locked cargo-fuzz

cargo +nightly fuzz build --fuzz-dir .
[ "$seconds" != build ] || exit 0
programs=${CARGO_TARGET_DIR:-target}/$(rustc +nightly -vV | sed -n 's/^host: //p')/release
"$programs/seeds"

# Memory that a target keeps until it exits is no leak: each keeps one database for all its inputs.
export ASAN_OPTIONS=detect_odr_violation=0:detect_leaks=0

fuzz() {
    local target=$1 log=artifacts/$1.log
    mkdir -p "corpus/$target" "artifacts/$target"
    if "$programs/$target" "corpus/$target" -artifact_prefix="artifacts/$target/" -max_total_time="$seconds" \
        -timeout=10 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 >"$log" 2>&1; then
        echo "$target: $seconds s, $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs, no crash"
    else
        grep -E 'ERROR|panicked|SUMMARY|Test unit written' "$log" >&2 || tail "$log" >&2
        echo "$target: see tests/fuzz/$log and tests/fuzz/artifacts/$target" >&2
        return 1
    fi
}

failed=0
running=()
for target in parser forwarded_for authorization query cursor; do
    if [ "${#running[@]}" = 2 ]; then
        wait "${running[0]}" || failed=1
        running=("${running[@]:1}")
    fi
    fuzz "$target" &
    running+=($!)
done
for process in "${running[@]}"; do
    wait "$process" || failed=1
done
exit "$failed"
