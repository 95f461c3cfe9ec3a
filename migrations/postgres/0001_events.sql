-- Identifies what the nodes copy. One row.
CREATE TABLE cluster (
    one     bool PRIMARY KEY DEFAULT true CHECK (one),
    -- Random, made with the schema and never changed: a local copy belongs to one name.
    name    text NOT NULL,
    -- Random. Renewed when the lineage changes, because seqs may then belong to other events.
    epoch   text NOT NULL,
    -- Identifier of the PostgreSQL cluster and its timeline, which a promotion or a restored backup changes.
    lineage text NOT NULL
);

INSERT INTO cluster (name, epoch, lineage)
SELECT left(encode(sha256(convert_to(gen_random_uuid()::text, 'UTF8')), 'hex'), 16),
       left(encode(sha256(convert_to(gen_random_uuid()::text, 'UTF8')), 'hex'), 16),
       '';

-- The newest seq, and the newest change of a count of deliveries. Locking this row gives both their order: the lock is
-- held until the commit is durable and visible. The free space of the page keeps its versions together.
CREATE TABLE feed_head (
    one     bool PRIMARY KEY DEFAULT true CHECK (one),
    last    bigint NOT NULL,
    changes bigint NOT NULL
) WITH (fillfactor = 10);

INSERT INTO feed_head (last, changes) VALUES (0, 0);

-- The truth: every notification as it came, in the order of its commit. Rows are only added.
CREATE TABLE event (
    seq         bigint PRIMARY KEY,
    -- First arrival, milliseconds since 1970.
    received_at bigint NOT NULL,
    -- GREEN-API's own, seconds since 1970.
    "timestamp" bigint,
    -- The first 8 bytes of the digest.
    key         bigint NOT NULL,
    -- SHA-256 of the body.
    digest      bytea  NOT NULL CHECK (octet_length(digest) = 32),
    origin      text   NOT NULL,
    body        bytea  NOT NULL
);

-- Bodies are not compressed: that would take time while the row of `feed_head` is locked.
ALTER TABLE event ALTER COLUMN body SET STORAGE EXTERNAL;

-- Find a duplicate. The first begins with the timestamp, so that new entries stand together.
CREATE INDEX event_key ON event ("timestamp", key) WHERE "timestamp" IS NOT NULL;
CREATE INDEX event_key_untimed ON event (key, received_at) WHERE "timestamp" IS NULL;

-- How often an event came, if it came more than once. Each change has a number, so that the nodes copy only what is new.
CREATE TABLE repeat (
    seq              bigint PRIMARY KEY,
    deliveries       bigint NOT NULL CHECK (deliveries > 1),
    last_received_at bigint NOT NULL,
    change           bigint NOT NULL UNIQUE
);

-- Stores a batch and returns what became of each of its rows, in their order, and the newest change of a count. A row with the bytes of a stored event, or
-- of an earlier row, counts as one more delivery. Without a timestamp that holds for 25 hours.
-- VOLATILE: in READ COMMITTED each statement of the function sees what the last holder of the lock has committed.
CREATE FUNCTION append_batch(
    bodies bytea[], digests bytea[], keys bigint[], timestamps bigint[], arrivals bigint[], origins text[]
) RETURNS TABLE (ord bigint, seq bigint, repeated bool, changes bigint) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    head    bigint;
    changed bigint;
BEGIN
    SELECT h.last, h.changes INTO STRICT head, changed FROM feed_head h FOR UPDATE;
    RETURN QUERY
    WITH sought AS (
        SELECT i.*, coalesce(t.seq, u.seq) AS found, coalesce(t.received_at, u.received_at) AS first,
               i.ord = min(i.ord) OVER (PARTITION BY i.digest) AS is_leader
        FROM unnest(bodies, digests, keys, timestamps, arrivals, origins)
            WITH ORDINALITY AS i (body, digest, key, ts, arrival, origin, ord)
        LEFT JOIN LATERAL (
            SELECT e.seq, e.received_at FROM event e
            WHERE e."timestamp" IS NOT NULL AND e."timestamp" = i.ts AND e.key = i.key AND e.digest = i.digest
            LIMIT 1
        ) t ON true
        LEFT JOIN LATERAL (
            SELECT e.seq, e.received_at FROM event e
            WHERE i.ts IS NULL AND e."timestamp" IS NULL AND e.key = i.key
              AND e.received_at >= i.arrival - 90000000 AND e.digest = i.digest
            ORDER BY e.received_at DESC LIMIT 1
        ) u ON true
    ), numbered AS (
        SELECT s.*, s.found IS NULL AND s.is_leader AS is_new,
               head + count(*) FILTER (WHERE s.found IS NULL AND s.is_leader) OVER (ORDER BY s.ord) AS next
        FROM sought s
    ), results AS MATERIALIZED (
        SELECT n.*, coalesce(n.found, first_value(coalesce(n.found, n.next)) OVER same) AS seq,
               coalesce(n.first, first_value(coalesce(n.first, n.arrival)) OVER same) AS since
        FROM numbered n WINDOW same AS (PARTITION BY n.digest ORDER BY n.ord)
    ), inserted AS (
        INSERT INTO event (seq, received_at, "timestamp", key, digest, origin, body)
        SELECT r.seq, r.arrival, r.ts, r.key, r.digest, r.origin, r.body FROM results r WHERE r.is_new
    ), counts AS MATERIALIZED (
        SELECT r.seq, count(*) AS deliveries, greatest(max(r.arrival), max(r.since)) AS latest,
               changed + row_number() OVER (ORDER BY r.seq) AS change
        FROM results r WHERE NOT r.is_new GROUP BY r.seq
    ), counted AS (
        INSERT INTO repeat AS known (seq, deliveries, last_received_at, change)
        SELECT c.seq, 1 + c.deliveries, c.latest, c.change FROM counts c
        ON CONFLICT (seq) DO UPDATE SET
            deliveries = known.deliveries + excluded.deliveries - 1,
            last_received_at = greatest(known.last_received_at, excluded.last_received_at),
            change = excluded.change
    ), advanced AS (
        UPDATE feed_head SET
            last = head + (SELECT count(*) FROM results r WHERE r.is_new),
            changes = changed + (SELECT count(*) FROM counts)
    )
    SELECT r.ord, r.seq, NOT r.is_new, changed + (SELECT count(*) FROM counts) FROM results r ORDER BY r.ord;
    -- A hint: the nodes also look from time to time.
    PERFORM pg_notify('green_inbox_feed', '');
END
$$;
