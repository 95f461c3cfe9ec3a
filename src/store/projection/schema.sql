-- The projection: data derived from the events, in its own file beside them. All of it can be
-- rebuilt, so this schema is never migrated: any change to this text makes the program rebuild the
-- file.

-- Progress: every event up to `seq` is projected. The digest is that of this event, and the epoch
-- that of the database, which reveals a file that lies beside other events.
CREATE TABLE progress (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    seq    INTEGER NOT NULL,
    digest BLOB,
    epoch  TEXT    NOT NULL,
    -- Every event up to this seq is forgotten, and deleted or about to be.
    forgotten INTEGER NOT NULL
) STRICT;

-- Terms: the values that lists can filter by (a chat, a type, an instance, a status), and the
-- number of their postings, so that a list starts with the rarest term (0 for a chat, which is the
-- rarest). A term that no event has any more is deleted; its id is not used again, so that a list that is
-- being read does not take one chat for another.
CREATE TABLE term (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    kind    INTEGER NOT NULL,
    value   TEXT    NOT NULL,
    entries INTEGER NOT NULL,
    UNIQUE (kind, value)
) STRICT;

-- The epochs that have postings. An epoch is a fixed number of consecutive seqs (see term.rs).
CREATE TABLE epoch (
    n INTEGER PRIMARY KEY
) STRICT;

-- An inverted index: the postings of each term in seq order. A posting only says where to look; the
-- row at that seq decides. The postings of an epoch are stored together, so that new postings touch
-- as few pages in a large database as in a small one.
CREATE TABLE posting (
    epoch INTEGER NOT NULL,
    term  INTEGER NOT NULL,
    seq   INTEGER NOT NULL,
    PRIMARY KEY (epoch, term, seq)
) STRICT, WITHOUT ROWID;

-- Messages, calls and notices, each at the seq of the first event that mentions it, with the events
-- that provide its content, newest edit, status and deletion.
CREATE TABLE entity (
    -- Seq of its first event. For a notice, the negated seq, because that event may also be the
    -- first of another entity.
    seq          INTEGER PRIMARY KEY,
    -- Bytes of the digest of kind, instance and identifier. NULL if the event lacks one of them (or
    -- a message lacks its chat): no other event mentions such an entity.
    key          INTEGER,
    -- 0: a message; 1: a call; 2: a notice (an edit, a deletion, a reaction or a vote), which
    -- becomes a message if a message arrives under its identifier.
    kind         INTEGER NOT NULL,
    id_instance  INTEGER NOT NULL,
    -- The term of the chat in its canonical form. For a call, the first caller.
    chat         INTEGER,
    id_message   TEXT,
    direction    INTEGER,
    type_message TEXT,
    status       TEXT,
    content_seq  INTEGER,
    edit_seq     INTEGER,
    -- A JSON array of the seqs of further events that provide a field (see model/version.rs).
    extra        TEXT,
    status_seq   INTEGER,
    deletion_seq INTEGER,
    -- The digest of the content of its first event.
    digest       INTEGER
) STRICT;

CREATE INDEX entity_key ON entity (key, chat);

-- The other events that mention an entity, and the digest of the content of each.
CREATE TABLE mention (
    entity INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    digest  INTEGER,
    PRIMARY KEY (entity, seq)
) STRICT, WITHOUT ROWID;

-- Events with the same content as an earlier event of their entity.
CREATE TABLE duplicate (
    seq    INTEGER PRIMARY KEY,
    of_seq INTEGER NOT NULL
) STRICT;

-- Statuses without a chat. Each is a mention of the message with its identifier as long as there is
-- exactly one.
CREATE TABLE chatless (
    key         INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    id_instance INTEGER NOT NULL,
    id_message  TEXT    NOT NULL,
    digest      INTEGER,
    PRIMARY KEY (key, seq)
) STRICT, WITHOUT ROWID;

-- Aliases: private chats of one person, in both directions, with what shows it.
CREATE TABLE alias (
    id_instance INTEGER NOT NULL,
    chat        INTEGER NOT NULL,
    other       INTEGER NOT NULL,
    -- The key of the message or call that is in both chats. 0 if single events show it.
    key         INTEGER NOT NULL,
    -- The newest event that shows it.
    seq         INTEGER NOT NULL,
    PRIMARY KEY (id_instance, chat, other, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX alias_key ON alias (key) WHERE key <> 0;
CREATE INDEX alias_chat ON alias (chat);

-- Messages quoted in a private chat under a participant of the other kind (`@c.us` or `@lid`). If
-- such a message exists in a chat of the other kind, both chats belong to one person.
CREATE TABLE hint (
    key         INTEGER NOT NULL,
    id_instance INTEGER NOT NULL,
    id_message  TEXT    NOT NULL,
    chat        INTEGER NOT NULL,
    -- The newest event that quotes it.
    seq         INTEGER NOT NULL,
    PRIMARY KEY (key, id_instance, id_message, chat)
) STRICT, WITHOUT ROWID;

CREATE INDEX hint_chat ON hint (chat);

-- Each chat and its newest message.
CREATE TABLE chat (
    id_instance INTEGER NOT NULL,
    chat        INTEGER NOT NULL,
    newest      INTEGER NOT NULL,
    PRIMARY KEY (id_instance, chat)
) STRICT, WITHOUT ROWID;

CREATE INDEX chat_newest ON chat (newest);
CREATE INDEX chat_of_instance ON chat (id_instance, newest);

-- Each account, its newest event, and the newest events that report its socket and its quota. The newest event
-- may be deleted, so its columns are here too.
CREATE TABLE instance (
    id_instance   INTEGER PRIMARY KEY,
    type_instance TEXT,
    newest        INTEGER NOT NULL,
    received_at   INTEGER NOT NULL,
    type_webhook  TEXT,
    timestamp     INTEGER,
    socket_seq    INTEGER,
    quota_seq     INTEGER
) STRICT;

-- The states of an account, by the time when they were reported. Of the forgotten ones, the last one stays: a row
-- for when it began and one for when it was last reported.
CREATE TABLE state (
    id_instance INTEGER NOT NULL,
    timestamp   INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    name        TEXT    NOT NULL,
    PRIMARY KEY (id_instance, timestamp, seq)
) STRICT, WITHOUT ROWID;

-- Counters. The instance is 0 for bodies without one.
CREATE TABLE counter (
    measure     INTEGER NOT NULL,
    id_instance INTEGER NOT NULL,
    value       TEXT    NOT NULL,
    n           INTEGER NOT NULL,
    PRIMARY KEY (measure, id_instance, value)
) STRICT, WITHOUT ROWID;

-- Events of each account in each hour of their first arrival: received_at / 3600000.
CREATE TABLE hour (
    id_instance INTEGER NOT NULL,
    hour        INTEGER NOT NULL,
    n           INTEGER NOT NULL,
    PRIMARY KEY (id_instance, hour)
) STRICT, WITHOUT ROWID;

-- For each block of 1024 seqs, the earliest and the latest arrival by the system clock, which may
-- jump.
CREATE TABLE block_range (
    block INTEGER PRIMARY KEY,
    least INTEGER NOT NULL,
    most  INTEGER NOT NULL
) STRICT;

-- The words of each message, including the scope words for its instance and its chat, so that a
-- search in one chat does not scan the others.
CREATE VIRTUAL TABLE word USING fts5 (
    text,
    content = '',
    contentless_delete = 1,
    detail = none,
    -- The words are already folded and split; see words.rs.
    tokenize = ascii
);

-- The terms of that index, to find those with some prefix.
CREATE VIRTUAL TABLE vocabulary USING fts5vocab (word, instance);

-- Each slice writes a segment. Merging more segments at a time means that words are rewritten less
-- often.
INSERT INTO word (word, rank) VALUES ('automerge', 8);
