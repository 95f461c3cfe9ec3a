-- The positions of the readers inside the program, such as the alerts: the last event that each is done with. An offset
-- of another epoch is void.
CREATE TABLE reader_offset (
    name  TEXT    PRIMARY KEY,
    epoch TEXT    NOT NULL,
    seq   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
