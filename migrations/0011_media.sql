-- Files of messages that are kept, will be kept or are lost. The bytes of kept files are in a folder beside the database.
-- How far the events were read is in reader_offset, under the name `media`.
CREATE TABLE media_file (
    -- The event that names the file.
    seq         INTEGER PRIMARY KEY,
    -- The message whose file it is: that of the event, or the one that it quotes. The chat is in its canonical form.
    id_instance INTEGER NOT NULL,
    chat        TEXT    NOT NULL,
    id_message  TEXT    NOT NULL,
    -- When the event was read, in milliseconds since 1970.
    since       INTEGER NOT NULL,
    -- Attempts so far.
    attempts    INTEGER NOT NULL,
    -- When the next attempt is due; NULL if the file is kept or lost.
    due_at      INTEGER,
    -- SHA-256 of a kept file, which is its name in the folder.
    digest      BLOB,
    bytes       INTEGER,
    -- Why the last attempt failed. It quotes nothing of the response.
    problem     TEXT    NOT NULL
) STRICT;

CREATE INDEX media_file_message ON media_file (id_message, id_instance);

CREATE INDEX media_file_due ON media_file (due_at) WHERE due_at IS NOT NULL;

CREATE INDEX media_file_digest ON media_file (digest, bytes) WHERE digest IS NOT NULL;
