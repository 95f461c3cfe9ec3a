#!/usr/bin/env bash
# Runs the deployment steps of README.md and deploy/ in a folder instead of the file system root and with a shim instead
# of systemctl. The service starts as another user, with the environment of its unit. Needs root, nginx, systemd-analyze.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    echo "FAILED: $*" >&2
    exit 1
}
[ "$(id -u)" = 0 ] || fail "this needs root, to start the service as another user"

root=$(mktemp -d)
chmod 755 "$root"
server=
stop_service() {
    [ -n "$server" ] || return 0
    kill "$server" 2>/dev/null || true
    local code=0
    wait "$server" || code=$?
    server=
    return "$code"
}
trap 'stop_service || true; rm -rf "$root"' EXIT

# Starts the unit's service as the user `nobody`, with its environment, credentials and state folder.
start_service() {
    local unit=$root/etc/systemd/system/green-inbox.service
    local state=$root/var/lib/green-inbox credentials=$root/credentials line
    install -d "$root/var/lib"
    install -d -m 700 -o nobody -g nogroup "$state" "$credentials"
    while read -r line; do
        install -m 400 -o nobody -g nogroup "$root${line#*:}" "$credentials/${line%%:*}"
    done < <(sed -n 's/^LoadCredential=//p' "$unit")
    local -a variables command
    mapfile -t variables < <(sed -n 's/^Environment=//p' "$unit" | sed "s#%S#$root/var/lib#g; s#%d#$credentials#g")
    read -ra command < <(sed -n 's/^ExecStart=//p' "$unit" | sed "s# /etc/# $root/etc/#g; s#^/#$root/#")
    (
        cd "$state"
        umask 077
        exec setpriv --reuid nobody --regid nogroup --clear-groups --no-new-privs --bounding-set -all --inh-caps -all \
            env -i PATH=/usr/bin "${variables[@]}" "${command[@]}"
    ) 2>"$root/service.log" &
    server=$!
    wait_for_service
}

wait_for_service() {
    for _ in $(seq 200); do
        curl -sf -o /dev/null http://127.0.0.1:8081/readyz && return
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    cat "$root/service.log" >&2
    fail "the service did not become ready"
}

sudo() { "$@"; }
systemctl() {
    echo "$*" >>"$root/systemctl"
    [ "$*" != "enable --now green-inbox" ] || start_service
}

echo "== the production recipe of README.md"
block=$(awk '/^## Production/ { on = 1 } on && /^```/ { if (code) exit; code = 1; next } code' README.md)
[ "$(grep -c . <<<"$block")" -ge 8 ] || fail "the block of README.md was not found"
install -d "$root"/usr/local/bin "$root"/etc/systemd/system "$root"/etc/nginx/tls
PATH=$root/usr/local/bin:$PATH
# Run the recipe as written; only the paths differ.
eval "$(sed "s# /etc/# $root/etc/#g; s# /usr/local/# $root/usr/local/#g" <<<"$block")" >"$root/said"
grep -q '"status":"ready"' "$root/said" || fail "readyz: $(cat "$root/said")"
grep -q '^reload nginx$' "$root/systemctl" || fail "nginx was not reloaded"

echo "== a notification is received and read back"
token=$(cat "$root/etc/green-inbox/webhook_tokens")
answer=$(curl -s -H "Authorization: $token" -H "X-Forwarded-For: 46.101.109.139" \
    -d '{"typeWebhook":"note"}' http://127.0.0.1:8080/webhook)
[ "$answer" = '{"seq":1,"outcome":"unknown","repeated":false}' ] || fail "$answer"
[ "$(curl -s http://127.0.0.1:8081/api/v1/events/1/body)" = '{"typeWebhook":"note"}' ] || fail "it was not read back"
curl -sf http://127.0.0.1:8081/metrics | promtool check metrics || fail "promtool finds fault with /metrics"
stop_service || fail "the service did not end with 0"

echo "== systemd's sockets are taken"
(
    cd "$root/var/lib/green-inbox"
    exec setpriv --reuid nobody --regid nogroup --clear-groups env -i PATH=/usr/bin \
        systemd-socket-activate -l 127.0.0.1:8080 -l 127.0.0.1:8081 \
        -E GREEN_INBOX__INGEST__TOKENS=change-me -E GREEN_INBOX__STORAGE__PATH="$root/var/lib/green-inbox/sockets.db" \
        -E GREEN_INBOX__INGEST__LISTEN=127.0.0.1:1 -E GREEN_INBOX__PRIVATE__LISTEN=127.0.0.1:2 \
        "$root/usr/local/bin/green-inbox" serve
) 2>"$root/service.log" &
server=$!
wait_for_service
grep -q 'sockets of systemd' "$root/service.log" || fail "the sockets were not taken"
stop_service || fail "the service did not end with 0"

echo "== nginx accepts its configuration"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=inbox -keyout "$root/etc/nginx/tls/privkey.pem" \
    -out "$root/etc/nginx/tls/fullchain.pem" 2>/dev/null
here() { sed "s#/etc/nginx/#$root/etc/nginx/#; s#/run/nginx.pid#$root/nginx.pid#; s#/var/log/nginx/#$root/#" "$1"; }
cmp deploy/nginx.conf "$root/etc/nginx/nginx.conf" || fail "deploy/nginx.conf is not what nginx-config prints"
here "$root/etc/nginx/nginx.conf" >"$root/host.conf"
nginx -q -t -c "$root/host.conf"
# Apply the edit that compose.yaml makes in the container.
edit=$(grep -o "sed 's/server [^']*'" deploy/compose.yaml) || fail "compose.yaml has no such line"
eval "$edit" deploy/nginx.conf >"$root/compose.conf"
grep -q 'server 172.30.80.2:8080;' "$root/compose.conf" || fail "the edit of compose.yaml does not fit nginx.conf"
here "$root/compose.conf" >"$root/compose-here.conf"
nginx -q -t -c "$root/compose-here.conf"

echo "== deploy/cluster: nginx accepts its configuration, and every file exists"
cluster=deploy/cluster
mapfile -t edits < <(grep -oE "s#[^']*;#" "$cluster/compose.yaml")
[ "${#edits[@]}" = 2 ] || fail "$cluster/compose.yaml has no two edits of nginx.conf"
sed -e "${edits[0]}" -e "${edits[1]}" deploy/nginx.conf >"$root/cluster.conf"
[ "$(grep -cE 'include /etc/nginx/(nodes|retry).conf;' "$root/cluster.conf")" = 2 ] || fail "an edit does not fit nginx.conf"
install -m 644 "$cluster/nodes.conf" "$cluster/retry.conf" "$root/etc/nginx/"
sed "s#/etc/nginx/#$root/etc/nginx/#; s#/run/nginx.pid#$root/nginx.pid#; s#/var/log/nginx/#$root/#" \
    "$root/cluster.conf" >"$root/cluster-here.conf"
nginx -q -t -c "$root/cluster-here.conf"
for script in "$cluster"/*.sh; do sh -n "$script"; done
# Every mounted file of the repository exists, and the fixed addresses agree.
python3 - "$cluster" <<'END' || fail "$cluster/compose.yaml"
import os, sys, yaml
folder = sys.argv[1]
services = yaml.safe_load(open(f"{folder}/compose.yaml"))["services"]
assert {"node-a", "node-b", "db1", "db2", "nginx"} == set(services), services.keys()
addresses = {name: service["networks"]["front"]["ipv4_address"]
             for name, service in services.items() if "front" in service["networks"]}
nodes = open(f"{folder}/nodes.conf").read()
for name, service in services.items():
    for volume in service["volumes"]:
        source = volume.split(":")[0]
        assert not source.startswith(".") or os.path.isfile(f"{folder}/{source}"), f"{name}: {source}"
    if name.startswith("node"):
        assert f"server {addresses[name]}:8080 " in nodes, name
        proxies = service["environment"]["GREEN_INBOX__INGEST__TRUSTED_PROXIES"]
        assert proxies == addresses["nginx"] + "/32", proxies
END

echo "== systemd accepts the unit and allows it to lower its priority"
install -d "$root/verify"
sed "s#/usr/local/bin/#$root/usr/local/bin/#" deploy/green-inbox.service >"$root/verify/green-inbox.service"
systemd-analyze verify "$root/verify/green-inbox.service"
python3 tests/syscalls.py deploy/green-inbox.service

echo "== Prometheus accepts the rules and the metrics"
promtool check rules deploy/prometheus-alerts.yaml

echo "== the environment of README.md's container, read over REST"
block=$(awk '/^docker run / { on = 1 } on { print; if ($0 !~ /\\$/) exit }' README.md)
mapfile -t variables < <(grep -oE -- '-e [A-Z_]+=("[^"]*"|[^ ]*)' <<<"$block" | sed 's/^-e //; s/"//g')
[ "${#variables[@]}" = 4 ] || fail "the variables of README.md were not found: ${variables[*]}"
mapfile -t image < <(grep -oE 'GREEN_INBOX__[A-Z_]+=[^ ]+' Dockerfile | grep -v "'" | sort -u | grep -E '__(STORAGE__PATH|INGEST__LISTEN)=' | sed "s#=/data/#=$root/data/#")
[ "${#image[@]}" = 2 ] || fail "the variables of the Dockerfile were not found: ${image[*]}"
container() { env -i PATH=/usr/bin "${image[@]}" "${variables[@]}" "$root/usr/local/bin/green-inbox" "$@"; }
cd "$root"
env -i PATH=/usr/bin "${image[@]}" "${variables[@]}" "$root/usr/local/bin/green-inbox" serve 2>"$root/service.log" &
server=$!
wait_for_service
container healthcheck || fail "healthcheck"
status() { curl -s -o /dev/null -w '%{http_code}' "$@" 'http://127.0.0.1:8081/api/v1/events?limit=10'; }
[ "$(status)" = 401 ] || fail "the private listener is read without a token"
[ "$(status -H 'Authorization: Bearer change-me-too')" = 200 ] || fail "the private listener is not read with its token"
stop_service || fail "the server did not end with 0"
echo "deploy: every check passed"
