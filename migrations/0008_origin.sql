-- How an event came, if GREEN-API did not post it to the webhook: `pull` or `journal`. Events without a row here came
-- to the webhook, so that receiving writes nothing more than before.
CREATE TABLE origin (
    seq  INTEGER PRIMARY KEY REFERENCES event (seq) ON DELETE CASCADE,
    name TEXT    NOT NULL
) STRICT;
