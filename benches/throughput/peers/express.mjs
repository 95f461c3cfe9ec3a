// express and better-sqlite3; one transaction for each request.

import { createHash } from "node:crypto";
import Database from "better-sqlite3";
import express from "express";

const database = new Database(process.env.DATABASE);
database.pragma("journal_mode = WAL");
database.pragma("synchronous = FULL");
database.exec(`
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
    )`);
const insert = database.prepare(`
    INSERT INTO event (received_at, id_instance, type_instance, type_webhook, type_message,
                       id_message, chat_id, sender, timestamp, digest, body)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING`);

const app = express();
app.use(express.raw({ type: "application/json" }));
app.post("/webhook", (request, response) => {
    const notification = JSON.parse(request.body);
    insert.run(
        Date.now(),
        notification.instanceData?.idInstance ?? null,
        notification.instanceData?.typeInstance ?? null,
        notification.typeWebhook ?? null,
        notification.messageData?.typeMessage ?? null,
        notification.idMessage ?? null,
        notification.senderData?.chatId ?? null,
        notification.senderData?.sender ?? null,
        notification.timestamp ?? null,
        createHash("sha256").update(request.body).digest(),
        request.body,
    );
    response.sendStatus(200);
});
app.listen(Number(process.argv[2]), "127.0.0.1");
