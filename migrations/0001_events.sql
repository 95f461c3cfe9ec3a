-- The truth: every notification as it came, in the order of its commit. Rows are only added.
CREATE TABLE event (
    -- Grows by commit order and is never used twice, also where the newest rows are deleted.
    seq           INTEGER PRIMARY KEY AUTOINCREMENT,
    -- First arrival, milliseconds since 1970.
    received_at   INTEGER NOT NULL,
    outcome       TEXT    NOT NULL CHECK (outcome IN ('known', 'unknown', 'malformed')),
    reason        TEXT             CHECK ((reason IS NOT NULL) = (outcome = 'malformed')),
    id_instance   INTEGER,
    type_instance TEXT,
    type_webhook  TEXT,
    type_message  TEXT,
    id_message    TEXT,
    chat_id       TEXT,
    sender        TEXT,
    -- GREEN-API's own, seconds since 1970.
    timestamp     INTEGER,
    -- SHA-256 of the body.
    digest        BLOB    NOT NULL CHECK (length(digest) = 32),
    -- Last, so that what stands before it is read without it.
    body          BLOB    NOT NULL
) STRICT;

-- Finds a repeat. It begins with the timestamp, so that new entries stand together and an insert
-- costs the same however large the table is.
CREATE UNIQUE INDEX event_repeat ON event (timestamp, digest) WHERE timestamp IS NOT NULL;

-- The same for bodies without a timestamp, of which there are few. Not unique: such a body that
-- comes again long after is another event.
CREATE INDEX event_repeat_untimed ON event (digest, received_at) WHERE timestamp IS NULL;

-- How often an event came, where it came more than once. Apart from the events, so that a repeat
-- does not write a large body again.
CREATE TABLE repeat (
    seq              INTEGER PRIMARY KEY REFERENCES event (seq) ON DELETE CASCADE,
    deliveries       INTEGER NOT NULL CHECK (deliveries > 1),
    last_received_at INTEGER NOT NULL
) STRICT;
