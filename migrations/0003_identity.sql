-- Which database this is. The epoch is random and belongs to one sequence of seqs: it is renewed when the file was
-- restored from a copy or its events were parsed again, so that a reader does not take new seqs for those it has seen.
-- The inode tells that the file is a copy. The program writes the row when it opens the database.
CREATE TABLE identity (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    epoch TEXT    NOT NULL,
    inode INTEGER NOT NULL
) STRICT;
