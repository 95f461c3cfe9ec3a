"""Flask and sqlite3; one transaction for each request."""

import hashlib
import os
import sqlite3
import threading
import time

from flask import Flask, request

app = Flask(__name__)
local = threading.local()

SCHEMA = """
    CREATE TABLE IF NOT EXISTS event (
        id            INTEGER PRIMARY KEY,
        received_at   INTEGER NOT NULL,
        id_instance   INTEGER,
        type_instance TEXT,
        type_webhook  TEXT,
        type_message  TEXT,
        id_message    TEXT,
        chat_id       TEXT,
        sender        TEXT,
        timestamp     INTEGER,
        digest        BLOB NOT NULL UNIQUE,
        body          BLOB NOT NULL
    )"""

INSERT = """
    INSERT INTO event (received_at, id_instance, type_instance, type_webhook, type_message,
                       id_message, chat_id, sender, timestamp, digest, body)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING"""


def connection():
    if not hasattr(local, "connection"):
        local.connection = sqlite3.connect(os.environ["DATABASE"], timeout=30)
        local.connection.execute("PRAGMA journal_mode = WAL")
        local.connection.execute("PRAGMA synchronous = FULL")
        local.connection.execute(SCHEMA)
    return local.connection


@app.post("/webhook")
def receive():
    body = request.get_data()
    notification = request.get_json()
    instance = notification.get("instanceData", {})
    sender = notification.get("senderData", {})
    row = (
        time.time_ns() // 1_000_000,
        instance.get("idInstance"),
        instance.get("typeInstance"),
        notification.get("typeWebhook"),
        notification.get("messageData", {}).get("typeMessage"),
        notification.get("idMessage"),
        sender.get("chatId"),
        sender.get("sender"),
        notification.get("timestamp"),
        hashlib.sha256(body).digest(),
        body,
    )
    with connection() as transaction:
        transaction.execute(INSERT, row)
    return "", 200
