-- Bodies may be compressed. NULL: the body is stored as it was received. Otherwise the body is one zstd frame, and this
-- is the number of bytes that it expands to. A frame names its dictionary in its header (RFC 8878, section 3.1.1.1.3).
-- No CHECK, because SQLite would test it on every row.
ALTER TABLE event ADD COLUMN size INTEGER;

-- The dictionaries of those frames. `id` is the number in the header of the frame and of the dictionary.
CREATE TABLE dictionary (
    id    INTEGER PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT;

-- How far compressing stored bodies is: every event up to `seq` was looked at. No row: none was.
CREATE TABLE compressing (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL
) STRICT;
