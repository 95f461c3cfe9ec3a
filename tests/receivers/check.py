"""Runs the receivers of docs/forwarding.md against the program, and checks its signatures with other libraries.

Arguments: the program, the verifier built from verify.rs, and a folder for everything else.
"""

import datetime
import http.server
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import standardwebhooks
import svix.webhooks

PROGRAM, VERIFIER, WORK = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
DOCUMENT = pathlib.Path(__file__).parents[2] / "docs/forwarding.md"
OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEW = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
WRONG = "whsec_" + "d3Jvbmcg" * 4
TOKEN = "open-sesame"
PATIENCE = 120  # seconds

# How each receiver starts. It has the new secret.
COMMANDS = {
    "python": ("receiver.py", lambda file, port: [sys.executable, file]),
    "js": ("receiver.mjs", lambda file, port: ["node", file]),
    "php": ("receiver.php", lambda file, port: ["php", "-S", f"127.0.0.1:{port}", file]),
    "go": ("receiver.go", lambda file, port: ["go", "run", file]),
}
# Secrets of the program, and what a receiver with the new one answers.
SECRETS = {"right": ([NEW], 200), "changing": ([OLD, NEW], 200), "wrong": ([WRONG], 401)}
# Secrets of the program while they are changed, and those that verify.
PHASES = {"before": ([OLD], {OLD}), "during": ([OLD, NEW], {OLD, NEW}), "after": ([NEW], {NEW})}

started = []
requests = {}


class Capture(http.server.BaseHTTPRequestHandler):
    """Keeps each request by its path."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        requests[self.path.strip("/")] = ({k.lower(): v for k, v in self.headers.items()}, body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start(command, **options):
    process = subprocess.Popen(command, start_new_session=True, **options)
    started.append(process)
    return process


def wait(what, is_done):
    deadline = time.monotonic() + PATIENCE
    while not (result := is_done()):
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.05)
    return result


def listens(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def start_receivers():
    """Starts each receiver of the document. Returns their ports by language."""
    ports = {}
    for language, code in re.findall(r"^```(\w+)\n(.*?)^```$", DOCUMENT.read_text(), re.M | re.S):
        if language not in COMMANDS:
            continue
        name, command = COMMANDS[language]
        file, port = WORK / name, free_port()
        file.write_text(code)
        environment = {**os.environ, "SECRET": NEW, "PORT": str(port), "GO111MODULE": "off"}
        with open(WORK / f"{name}.log", "w") as log:
            start(command(str(file), port), env=environment, stdout=log, stderr=log)
        wait(f"the start of {name}", lambda: listens(port))
        ports[language] = port
    assert set(ports) == set(COMMANDS), f"the document has only {sorted(ports)}"
    return ports


def ask(port, headers, body=b"{}"):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", body, headers)
    try:
        return urllib.request.urlopen(request, timeout=10).status
    except urllib.error.HTTPError as refused:
        return refused.code


def start_program(destinations):
    """Starts the program with destinations: name, URL and secrets of each. Returns its addresses."""
    text = ""
    for name, url, secrets in destinations:
        (WORK / f"{name}.secret").write_text("\n".join(secrets))
        text += f'[[forward]]\nname = "{name}"\nurl = "{url}"\nsecret_file = "{WORK}/{name}.secret"\n'
    (WORK / "green-inbox.toml").write_text(text)
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("GREEN_INBOX")},
        "GREEN_INBOX__INGEST__LISTEN": "127.0.0.1:0",
        "GREEN_INBOX__PRIVATE__LISTEN": "127.0.0.1:0",
        "GREEN_INBOX__INGEST__ALLOWED_SOURCES": "127.0.0.1",
        "GREEN_INBOX__INGEST__TOKENS": TOKEN,
        "GREEN_INBOX__STORAGE__PATH": str(WORK / "inbox.db"),
    }
    log = WORK / "program.log"
    with open(log, "w") as output:
        start([PROGRAM, "serve", "--config", WORK / "green-inbox.toml"], env=environment, stderr=output)
    found = wait("the start of the program", lambda: re.search(r"notifications at (\S+?), .* at (\S+)", log.read_text()))
    return found.groups()


def check_receivers(ports, statuses):
    for language, port in ports.items():
        for kind, (_, expected) in SECRETS.items():
            status = statuses[f"{language}-{kind}"]
            if expected == 200:
                assert status["lastDeliveredAt"] and not status["problem"], status
            else:
                assert status["problem"] == "it answered 401 Unauthorized", status
                assert not status["lastDeliveredAt"], status
        # An old signature, a changed body, and none at all.
        headers, body = requests["after"]
        signed = {key: value for key, value in headers.items() if key.startswith("webhook-")}
        assert ask(port, signed, body) == 200, language
        assert ask(port, signed, body + b" ") == 401, language
        hour_ago = datetime.datetime.fromtimestamp(int(time.time()) - 3600, datetime.timezone.utc)
        old = str(int(hour_ago.timestamp()))
        assert ask(port, {**signed, "webhook-timestamp": old}, body) == 401, language
        resigned = standardwebhooks.Webhook(NEW).sign(signed["webhook-id"], hour_ago, body.decode())
        assert ask(port, {**signed, "webhook-timestamp": old, "webhook-signature": resigned}, body) == 401, language
        assert ask(port, {}, body) == 401, language
        print(f"the receiver in {language} takes what is signed and refuses the rest")


def verifies(library, secret, headers, body):
    if library == "rust":
        values = [headers[f"webhook-{name}"] for name in ("id", "timestamp", "signature")]
        code = subprocess.run([VERIFIER, secret, *values], input=body).returncode
        assert code in (0, 1)
        return code == 0
    try:
        library.Webhook(secret).verify(body, headers)
        return True
    except library.WebhookVerificationError:
        return False


def check_signatures():
    for name, library in [("rust", "rust"), ("standardwebhooks", standardwebhooks), ("svix", svix.webhooks)]:
        for phase, (_, right) in PHASES.items():
            headers, body = requests[phase]
            for secret in (OLD, NEW, WRONG):
                found = verifies(library, secret, headers, body)
                assert found == (secret in right), f"{name}: {phase}: {secret}: {found}"
            assert not any(verifies(library, secret, headers, body + b" ") for secret in right), name
        print(f"{name} verifies the signatures before, during and after a change of the secret")


def main():
    ports = start_receivers()
    capture = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Capture)
    threading.Thread(target=capture.serve_forever, daemon=True).start()
    destinations = [
        (f"{language}-{kind}", f"http://127.0.0.1:{port}/", secrets)
        for language, port in ports.items()
        for kind, (secrets, _) in SECRETS.items()
    ]
    destinations += [
        (phase, f"http://127.0.0.1:{capture.server_address[1]}/{phase}", secrets)
        for phase, (secrets, _) in PHASES.items()
    ]
    webhook, private = start_program(destinations)
    body = json.dumps({"typeWebhook": "stateInstanceChanged", "instanceData": {"idInstance": 1101000001, "wid": "",
                       "typeInstance": "whatsapp"}, "timestamp": int(time.time()), "stateInstance": "authorized",
                       "note": "пирог"}, ensure_ascii=False).encode()
    request = urllib.request.Request(webhook, body, {"authorization": f"Bearer {TOKEN}"})
    assert urllib.request.urlopen(request).status == 200

    def tried():
        listed = json.load(urllib.request.urlopen(f"{private}/api/v1/forward"))["data"]
        done = all(one["lastDeliveredAt"] or one["problem"] for one in listed)
        return done and {one["name"]: one for one in listed}

    statuses = wait("an attempt at each destination", tried)
    check_receivers(ports, statuses)
    check_signatures()


try:
    main()
finally:
    for process in started:
        # With its children: `go run` has one.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
