-- Events that a forward destination has not got yet although it has read past them, and its dead letters. How far it has
-- read is in reader_offset, under the name `forward:` and its own. The newest events have no row: they are delivered
-- without one if the first attempt succeeds.
CREATE TABLE forward_event (
    destination TEXT    NOT NULL,
    seq         INTEGER NOT NULL,
    -- Events of one lane are delivered in the order of their seqs. A lane is a chat, as a digest, or one event.
    lane        INTEGER NOT NULL,
    -- When it began to wait, in milliseconds since 1970.
    since       INTEGER NOT NULL,
    -- Failed attempts.
    attempts    INTEGER NOT NULL,
    -- When the next attempt is due. Only the first event of a lane has it.
    due_at      INTEGER,
    -- When it became a dead letter.
    dead_at     INTEGER,
    -- Why the last attempt failed. It quotes nothing of the response.
    problem     TEXT    NOT NULL,
    PRIMARY KEY (destination, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX forward_event_lane ON forward_event (destination, lane, seq) WHERE dead_at IS NULL;

CREATE INDEX forward_event_due ON forward_event (destination, due_at) WHERE due_at IS NOT NULL;

CREATE INDEX forward_event_dead ON forward_event (destination, seq) WHERE dead_at IS NOT NULL;
