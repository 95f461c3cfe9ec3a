#!/usr/bin/env bash
# Runs tests of the interface on PostgreSQL that otherwise run on SQLite: the same tests, and so the same answers.
#
#   bash tests/postgres.sh       needs the server of PostgreSQL and its user `postgres`
set -euo pipefail
cd "$(dirname "$0")/.."

programs=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
as=()
[ "$(id -u)" != 0 ] || as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
work=$(mktemp -d)
[ "$(id -u)" != 0 ] || chown postgres "$work"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cd_root() { (cd / && "${as[@]}" "$@"); }
cd_root "$programs/initdb" --no-sync -A trust -U inbox -E UTF8 --locale=C -D "$work/data" >/dev/null
# Each test has a server with four or five connections.
cat >> "$work/data/postgresql.conf" <<END
port = $port
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
END
cd_root "$programs/pg_ctl" -s -w -D "$work/data" -l "$work/log" start
trap 'cd_root "$programs/pg_ctl" -s -m immediate -D "$work/data" stop; rm -rf "$work"' EXIT

# Tests that break, stall or prepare the database file.
left_out=(
    each_filter_lists_the_matching_calls combined_filters_list_the_events_that_match_all
    each_filter_alone_lists_the_matching_events all_filters_together_list_the_only_match
    each_filter_and_each_pair_lists_the_matching_messages failed_commit_gets_503_and_stores_nothing
    known_notification_is_on_disk_when_acknowledged row_that_cannot_be_stored_affects_no_other
    event_shows_how_it_came page_is_bounded_in_bytes_and_no_event_is_lost
    stalled_disk_refuses_the_excess_and_recovers damaged_body_is_reported_with_its_seq
)
# Tests that expect at once what a node does when it has the lease. Its time is PostgreSQL's, which a test cannot advance.
left_out+=(account::reconcile alert::lifecycle each_bad_state_is_reported_since_when)
export GREEN_INBOX_TEST_POSTGRES=postgres://inbox@127.0.0.1:$port
cargo test --locked --test it -- ingest:: api::calls api::chats api::cursor api::epoch api::etag api::event api::feed \
    api::history api::instances api::message api::odd api::order api::search api::stream page:: \
    account:: alert:: forward:: \
    "${left_out[@]/#/--skip=}"
