-- Events that an operator should hear about and that the alerts have not read yet. The writer adds a row in the
-- transaction of the event; the alerts delete it in the transaction that saves what they made of it.
CREATE TABLE attention (
    seq     INTEGER PRIMARY KEY REFERENCES event (seq) ON DELETE CASCADE,
    -- A marker, failed, noAccount or quotaExceeded; empty if only the outcome or the drift of the event matters.
    meaning TEXT    NOT NULL
) STRICT;

-- Firing and recently resolved alerts. Times are in milliseconds since 1970.
CREATE TABLE alert (
    name        TEXT    NOT NULL,
    -- 0: the alert is about no instance.
    id_instance INTEGER NOT NULL,
    subject     TEXT    NOT NULL,
    since       INTEGER NOT NULL,
    last        INTEGER NOT NULL,
    count       INTEGER NOT NULL,
    detail      TEXT    NOT NULL,
    -- Null while it fires.
    resolved_at INTEGER,
    PRIMARY KEY (name, id_instance, subject)
) STRICT, WITHOUT ROWID;

-- The destinations that are configured. The name is a digest of what was configured.
CREATE TABLE alert_destination (
    destination  TEXT    PRIMARY KEY,
    added_at     INTEGER NOT NULL,
    -- Null before the first one.
    heartbeat_at INTEGER
) STRICT, WITHOUT ROWID;

-- What each destination was told last about an alert.
CREATE TABLE alert_told (
    destination TEXT    NOT NULL REFERENCES alert_destination (destination) ON DELETE CASCADE,
    name        TEXT    NOT NULL,
    id_instance INTEGER NOT NULL,
    subject     TEXT    NOT NULL,
    -- The alert's own `since`: it tells this time from an earlier one.
    since       INTEGER NOT NULL,
    told_at     INTEGER NOT NULL,
    is_resolved INTEGER NOT NULL,
    PRIMARY KEY (destination, name, id_instance, subject)
) STRICT, WITHOUT ROWID;
