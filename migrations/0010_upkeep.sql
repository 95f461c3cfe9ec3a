-- Events whose thumbnails were removed, with the SHA-256 of what is left of the body. The digest of the event stays that
-- of the body that was received.
CREATE TABLE thinned (
    seq    INTEGER PRIMARY KEY REFERENCES event (seq) ON DELETE CASCADE,
    digest BLOB    NOT NULL CHECK (length(digest) = 32)
) STRICT;

-- How far thinning is: every event up to `seq` was looked at.
CREATE TABLE thinning (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL
) STRICT;

INSERT INTO thinning VALUES (1, 0);

-- The last time that a running server was asked to parse all events again. No row: it never was.
CREATE TABLE reprocess (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    -- Every event up to `seq` is parsed again. The pass ends at `last`, which was the newest event when it began.
    seq     INTEGER NOT NULL,
    last    INTEGER NOT NULL,
    -- Events that were read, and those among them that are damaged on disk.
    events  INTEGER NOT NULL,
    damaged INTEGER NOT NULL,
    -- A JSON array of [outcome before, outcome after, number of events].
    changed TEXT    NOT NULL,
    is_done INTEGER NOT NULL
) STRICT;
