-- Events that retention deleted before a forward destination had got them.
CREATE TABLE forward_expired (
    destination TEXT    NOT NULL PRIMARY KEY,
    -- How many. Each seq that was deleted unread counts, whether or not the event would have matched the filters.
    events      INTEGER NOT NULL,
    -- When that was last noticed, in milliseconds since 1970.
    at          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
