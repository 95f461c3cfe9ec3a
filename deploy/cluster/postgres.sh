#!/bin/sh
# Starts PostgreSQL. With FOLLOWS, an empty volume becomes a standby of that host; later starts go on with what is there.
set -eu
: "${PGDATA:=/var/lib/postgresql/data}"
password=$(cat /run/secrets/database_password)

if [ -n "${FOLLOWS:-}" ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
    address="host=$FOLLOWS user=replicator password=$password application_name=$(hostname)"
    until pg_basebackup -d "$address" -D "$PGDATA" -R -X stream -c fast; do
        # A copy that was interrupted leaves a part behind.
        find "$PGDATA" -mindepth 1 -delete
        sleep 2
    done
    chown -R postgres:postgres "$PGDATA"
    chmod 700 "$PGDATA"
fi

export POSTGRES_USER=inbox POSTGRES_DB=inbox POSTGRES_PASSWORD_FILE=/run/secrets/database_password
export POSTGRES_HOST_AUTH_METHOD=scram-sha-256
exec docker-entrypoint.sh postgres
