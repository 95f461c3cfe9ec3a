-- Fields of an event that do not have the form in which they are described: a JSON array of objects with path, expected
-- and found. Only events that have such fields have a row here. A column of the event would stand behind its body, and
-- be read with it.
CREATE TABLE drift (
    seq    INTEGER PRIMARY KEY REFERENCES event (seq) ON DELETE CASCADE,
    fields TEXT    NOT NULL
) STRICT;
