-- The database is this node's copy of a PostgreSQL that several nodes share. No row: it is not a copy.
CREATE TABLE shared_copy (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    -- The random name of what is copied.
    cluster TEXT    NOT NULL,
    -- Every change of a count of deliveries up to this number is copied.
    changes INTEGER NOT NULL
) STRICT;
