#!/usr/bin/env bash
# The official Python client of the Model Context Protocol reads the inbox of the real server (tests/mcp_client.py).
#
#   bash tests/mcp.sh        needs Python 3 and its package registry
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'mcp==2.3.0'

cargo build --locked --quiet
program=${CARGO_TARGET_DIR:-target}/debug/green-inbox
GREEN_INBOX__INGEST__LISTEN=127.0.0.1:0 GREEN_INBOX__PRIVATE__LISTEN=127.0.0.1:0 \
    GREEN_INBOX__INGEST__ALLOWED_SOURCES=127.0.0.1 GREEN_INBOX__INGEST__TOKENS=webhook \
    GREEN_INBOX__PRIVATE__TOKENS=reader GREEN_INBOX__PRIVATE__MCP=true \
    GREEN_INBOX__STORAGE__PATH="$work/inbox.db" "$program" serve 2>"$work/log" &
server=$!
for _ in $(seq 100); do
    grep -q 'serving readers at' "$work/log" && break
    kill -0 "$server" || { cat "$work/log"; exit 1; }
    sleep 0.1
done
address() { sed -nE "s|.*$1=([0-9.:]+) .*|\1|p" "$work/log" | head -n 1; }
"$program" send --to "http://$(address public)/webhook" --token webhook >/dev/null
"$work/venv/bin/python" tests/mcp_client.py "http://$(address private)/mcp" reader
