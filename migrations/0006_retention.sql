-- How far retention is: every event up to `seq` is deleted.
CREATE TABLE retention (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL
) STRICT;

INSERT INTO retention VALUES (1, 0);

-- What is left of the deleted events of each account, so that an account that no longer sends stays listed. It has no
-- content of messages.
CREATE TABLE past_instance (
    id_instance     INTEGER PRIMARY KEY,
    type_instance   TEXT,
    -- The newest deleted event.
    seq             INTEGER NOT NULL,
    received_at     INTEGER NOT NULL,
    type_webhook    TEXT,
    timestamp       INTEGER,
    -- The last state, when it began and when it was last reported (seconds since 1970), and the event that reported it.
    state           TEXT,
    state_since     INTEGER,
    state_timestamp INTEGER,
    state_seq       INTEGER
) STRICT;
