-- The epochs before the current one. The events up to `last` are the same in that epoch and in the current one; later seqs
-- may have been given to other events.
CREATE TABLE past_epoch (
    epoch text   PRIMARY KEY,
    last  bigint NOT NULL
);
