-- Private chats whose identifier hides the phone number (`@lid`), and what getContactInfo said about each.
CREATE TABLE contact (
    id_instance INTEGER NOT NULL,
    -- The chat that was asked for, in its canonical form.
    chat        TEXT    NOT NULL,
    -- The same person's chat of the other kind (`@c.us`). NULL: GREEN-API did not say it.
    other       TEXT,
    -- When GREEN-API was asked last, in milliseconds since 1970.
    asked_at    INTEGER NOT NULL,
    PRIMARY KEY (id_instance, chat)
) STRICT, WITHOUT ROWID;

CREATE INDEX contact_other ON contact (id_instance, other) WHERE other IS NOT NULL;
