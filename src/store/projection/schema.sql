-- What is derived from the events, in a file of its own beside them. All of it can be made again,
-- so that nothing here is migrated: another version of this text is another file, made anew.

-- How far it is: every event up to `seq` is in here. The digest is that event's and the epoch that of
-- the database, so that a file that stands beside other events is noticed.
CREATE TABLE progress (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    seq    INTEGER NOT NULL,
    digest BLOB,
    epoch  TEXT    NOT NULL
) STRICT;

-- What can be asked for: a chat, a type, an instance, a status; and how many entries it has, so
-- that a list begins with the rarest of what is asked for (0 for a chat, which is the rarest).
CREATE TABLE term (
    id      INTEGER PRIMARY KEY,
    kind    INTEGER NOT NULL,
    value   TEXT    NOT NULL,
    entries INTEGER NOT NULL,
    UNIQUE (kind, value)
) STRICT;

-- The epochs that have begun: runs of so many seqs (see term.rs).
CREATE TABLE epoch (
    n INTEGER PRIMARY KEY
) STRICT;

-- The entries of each term in the order of commits (an inverted index). An entry says where to
-- look; the row that is found there decides. Those of an epoch stand together, so that the pages
-- which new entries go to are as few in a large database as in a small one.
CREATE TABLE posting (
    epoch INTEGER NOT NULL,
    term  INTEGER NOT NULL,
    seq   INTEGER NOT NULL,
    PRIMARY KEY (epoch, term, seq)
) STRICT, WITHOUT ROWID;

-- Messages and calls, each at the first event that names it, and the events that have its content,
-- its newest edit, its status and its deletion.
CREATE TABLE entity (
    -- Its first event; of a notice, less than zero, because that event may be the first of another entity.
    seq          INTEGER PRIMARY KEY,
    -- Bytes of the digest of kind, instance and identifier. Null where the event lacks one of them (or a
    -- message its chat): nothing else speaks of such a entity.
    key          INTEGER,
    -- 0: a message; 1: a call; 2: an edit, a deletion, a reaction or a vote, which is no message unless a
    -- message comes under its identifier.
    kind         INTEGER NOT NULL,
    id_instance  INTEGER NOT NULL,
    -- The chat in its canonical form; of a call, the first caller.
    chat         INTEGER,
    id_message   TEXT,
    direction    INTEGER,
    type_message TEXT,
    status       TEXT,
    content_seq  INTEGER,
    edit_seq     INTEGER,
    -- A JSON array of the further events that give a field (see model/version.rs).
    extra        TEXT,
    status_seq   INTEGER,
    deletion_seq INTEGER,
    -- The digest of what its own event says.
    digest       INTEGER
) STRICT;

CREATE INDEX entity_key ON entity (key, chat);

-- The other events that speak of a entity, and the digest of what each says.
CREATE TABLE mention (
    entity INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    digest  INTEGER,
    PRIMARY KEY (entity, seq)
) STRICT, WITHOUT ROWID;

-- Events that say the same as an earlier event of their entity.
CREATE TABLE duplicate (
    seq    INTEGER PRIMARY KEY,
    of_seq INTEGER NOT NULL
) STRICT;

-- Statuses that name no chat. Each is a mention of the one message of its identifier while there is
-- exactly one.
CREATE TABLE chatless (
    key         INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    id_instance INTEGER NOT NULL,
    id_message  TEXT    NOT NULL,
    digest      INTEGER,
    PRIMARY KEY (key, seq)
) STRICT, WITHOUT ROWID;

-- Private chats of one person, in both directions.
CREATE TABLE alias (
    id_instance INTEGER NOT NULL,
    chat        INTEGER NOT NULL,
    other       INTEGER NOT NULL,
    PRIMARY KEY (id_instance, chat, other)
) STRICT, WITHOUT ROWID;

-- Messages that were quoted in a private chat under a participant of the other kind: where such a
-- message is in a chat of the other kind, both chats are of one person.
CREATE TABLE hint (
    key         INTEGER NOT NULL,
    id_instance INTEGER NOT NULL,
    id_message  TEXT    NOT NULL,
    chat        INTEGER NOT NULL,
    PRIMARY KEY (key, id_instance, id_message, chat)
) STRICT, WITHOUT ROWID;

-- Each chat and its newest message.
CREATE TABLE chat (
    id_instance INTEGER NOT NULL,
    chat        INTEGER NOT NULL,
    newest      INTEGER NOT NULL,
    PRIMARY KEY (id_instance, chat)
) STRICT, WITHOUT ROWID;

CREATE INDEX chat_newest ON chat (newest);
CREATE INDEX chat_of_instance ON chat (id_instance, newest);

-- Each account, its newest event, and the newest that has its socket and its quota.
CREATE TABLE instance (
    id_instance   INTEGER PRIMARY KEY,
    type_instance TEXT,
    newest        INTEGER NOT NULL,
    socket_seq    INTEGER,
    quota_seq     INTEGER
) STRICT;

-- The states of an account by the time when they began.
CREATE TABLE state (
    id_instance INTEGER NOT NULL,
    timestamp   INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    name        TEXT    NOT NULL,
    PRIMARY KEY (id_instance, timestamp, seq)
) STRICT, WITHOUT ROWID;

-- Counts; the instance is 0 where a body has none.
CREATE TABLE counter (
    measure     INTEGER NOT NULL,
    id_instance INTEGER NOT NULL,
    value       TEXT    NOT NULL,
    n           INTEGER NOT NULL,
    PRIMARY KEY (measure, id_instance, value)
) STRICT, WITHOUT ROWID;

-- For each 1024 events when the first and the last of them came, by the clock, which may jump.
CREATE TABLE block_range (
    block INTEGER PRIMARY KEY,
    least INTEGER NOT NULL,
    most  INTEGER NOT NULL
) STRICT;

-- The words of each message; with the words that say its instance and its chat, so that a search
-- in one chat does not pass through the others.
CREATE VIRTUAL TABLE word USING fts5 (
    text,
    content = '',
    contentless_delete = 1,
    detail = none,
    -- The words come as they are to be found; see words.rs.
    tokenize = ascii
);

-- A slice is a segment of its own: where more of them are merged at one time, words are written
-- again less often.
INSERT INTO word (word, rank) VALUES ('automerge', 8);
