-- Finds a repeat, in place of an index of the events. Entries come here behind the commits, many at a time and in this
-- order: with each commit they would go to pages of chance among those of the same second, which were most of the log.
DROP INDEX event_repeat;

CREATE TABLE event_key (
    timestamp INTEGER NOT NULL,
    -- The first 8 bytes of the digest. Who finds an entry compares the event's own timestamp and digest.
    prefix    BLOB    NOT NULL,
    seq       INTEGER NOT NULL,
    PRIMARY KEY (timestamp, prefix, seq)
) STRICT, WITHOUT ROWID;

INSERT INTO event_key
SELECT timestamp, substr(digest, 1, 8), seq FROM event WHERE timestamp IS NOT NULL ORDER BY 1, 2, 3;

-- How far it is: every event up to `seq` that has a timestamp has an entry. Those behind it are read at the start.
CREATE TABLE event_key_progress (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL
) STRICT;

INSERT INTO event_key_progress SELECT 1, coalesce(max(seq), 0) FROM event;
