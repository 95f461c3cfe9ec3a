-- What one node does at a time. A node that does it renews its row; another takes the row over after its expiry.
CREATE TABLE lease (
    name       text        PRIMARY KEY,
    -- Random, for each start of a node.
    holder     text        NOT NULL,
    -- The name of the node, for people.
    node       text        NOT NULL,
    -- Grows each time that the lease is taken, so that what an earlier holder still sends is refused.
    term       bigint      NOT NULL,
    -- By the clock of PostgreSQL alone.
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 50);

-- Renews the caller's leases and, if it may, takes those that are free. Leases of other nodes are not locked.
CREATE FUNCTION take_leases(wanted text[], me text, my_node text, seconds int, may_take bool)
RETURNS TABLE (name text, is_mine bool, term bigint, node text) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    until timestamptz := clock_timestamp() + make_interval(secs => seconds);
BEGIN
    INSERT INTO lease AS l (name, holder, node, term, expires_at)
    SELECT w.name, me, my_node, 1, until FROM unnest(wanted) AS w (name)
    WHERE CASE WHEN may_take
        THEN NOT EXISTS (SELECT 1 FROM lease o
             WHERE o.name = w.name AND o.holder <> me AND o.expires_at > clock_timestamp())
        ELSE EXISTS (SELECT 1 FROM lease o
             WHERE o.name = w.name AND o.holder = me AND o.expires_at > clock_timestamp())
        END
    ORDER BY w.name
    ON CONFLICT (name) DO UPDATE SET
        holder = excluded.holder, node = excluded.node, expires_at = excluded.expires_at,
        term = l.term + CASE WHEN l.holder = excluded.holder AND l.expires_at > clock_timestamp() THEN 0 ELSE 1 END
    WHERE l.holder = excluded.holder OR l.expires_at <= clock_timestamp();
    RETURN QUERY
    SELECT l.name, l.holder = me AND l.expires_at > clock_timestamp(), l.term, l.node
    FROM lease l WHERE l.name = ANY (wanted);
END
$$;

-- Whether the caller holds a lease, until its transaction ends: nobody can take the lease before that.
CREATE FUNCTION holds_lease(wanted text, me text, my_term bigint) RETURNS bool LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM 1 FROM lease l
    WHERE l.name = wanted AND l.holder = me AND l.term = my_term AND l.expires_at > clock_timestamp()
    FOR SHARE;
    RETURN FOUND;
END
$$;

-- How far each forward destination has read: every event up to this seq is delivered, left out or has a row below.
CREATE TABLE forward_position (
    destination text   PRIMARY KEY,
    seq         bigint NOT NULL
) WITH (fillfactor = 50);

-- Events that a forward destination has not got yet although it has read past them, and its dead letters, as in SQLite.
CREATE TABLE forward_event (
    destination text   NOT NULL,
    seq         bigint NOT NULL,
    lane        bigint NOT NULL,
    -- When it began to wait, in milliseconds since 1970.
    since       bigint NOT NULL,
    -- Failed attempts.
    attempts    bigint NOT NULL,
    -- When the next attempt is due. Only the first event of a lane has it.
    due_at      bigint,
    -- When it became a dead letter.
    dead_at     bigint,
    -- Why the last attempt failed. It quotes nothing of the response.
    problem     text   NOT NULL,
    PRIMARY KEY (destination, seq)
);

CREATE INDEX forward_event_lane ON forward_event (destination, lane, seq) WHERE dead_at IS NULL;

CREATE INDEX forward_event_due ON forward_event (destination, due_at) WHERE due_at IS NOT NULL;

CREATE INDEX forward_event_dead ON forward_event (destination, seq) WHERE dead_at IS NOT NULL;

-- Events that were deleted before a forward destination had got them.
CREATE TABLE forward_expired (
    destination text   PRIMARY KEY,
    events      bigint NOT NULL,
    -- When that was last noticed, in milliseconds since 1970.
    at          bigint NOT NULL
);

-- Makes the first event of a lane due, if there is one and none is due yet.
CREATE FUNCTION promote_forward(target text, of_lane bigint, moment bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM forward_event f
        WHERE f.destination = target AND f.lane = of_lane AND f.dead_at IS NULL AND f.due_at IS NOT NULL) THEN
        RETURN;
    END IF;
    UPDATE forward_event SET due_at = moment
    WHERE destination = target AND seq = (SELECT min(f.seq) FROM forward_event f
        WHERE f.destination = target AND f.lane = of_lane AND f.dead_at IS NULL);
END
$$;

-- The holder of the lease has started and reads on after the seq `through`: the rows of later events that were not tried
-- are read again. Returns whether the caller is the holder.
CREATE FUNCTION resume_forward(me text, my_term bigint, target text, through bigint, moment bigint)
RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
    IF NOT holds_lease('forward', me, my_term) THEN
        RETURN false;
    END IF;
    DELETE FROM forward_event f
    WHERE f.destination = target AND f.seq > through AND f.attempts = 0 AND f.dead_at IS NULL;
    PERFORM promote_forward(target, l.lane, moment) FROM (
        SELECT f.lane FROM forward_event f WHERE f.destination = target AND f.dead_at IS NULL
        GROUP BY f.lane HAVING count(f.due_at) = 0) l;
    RETURN true;
END
$$;

-- Saves what has become of events, in this order, and the position, which never goes back. Returns whether the caller is
-- the holder of the lease; otherwise nothing is saved. Kinds: 0 queued, 1 failed, 2 delivered, 3 expired, 4 promoted.
CREATE FUNCTION save_forward(
    me text, my_term bigint, target text, through bigint, deleted bigint,
    kinds bigint[], seqs bigint[], lanes bigint[], moments bigint[], tried bigint[], dues bigint[], deads bigint[],
    problems text[]
) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
    step record;
BEGIN
    IF NOT holds_lease('forward', me, my_term) THEN
        RETURN false;
    END IF;
    FOR step IN
        SELECT * FROM unnest(kinds, seqs, lanes, moments, tried, dues, deads, problems)
            WITH ORDINALITY AS s (kind, seq, lane, moment, attempts, due_at, dead_at, problem, ord)
        ORDER BY s.ord
    LOOP
        CASE step.kind
        WHEN 0 THEN
            INSERT INTO forward_event AS f (destination, seq, lane, since, attempts, problem)
            VALUES (target, step.seq, step.lane, step.moment, 0, '')
            ON CONFLICT (destination, seq) DO UPDATE SET
                since = excluded.since, attempts = 0, due_at = NULL, dead_at = NULL, problem = ''
            WHERE f.dead_at IS NOT NULL;
        WHEN 1 THEN
            INSERT INTO forward_event (destination, seq, lane, since, attempts, due_at, dead_at, problem)
            VALUES (target, step.seq, step.lane, step.moment, step.attempts, step.due_at, step.dead_at, step.problem)
            ON CONFLICT (destination, seq) DO UPDATE SET
                attempts = excluded.attempts, due_at = excluded.due_at, dead_at = excluded.dead_at,
                problem = excluded.problem;
        WHEN 2 THEN
            DELETE FROM forward_event f WHERE f.destination = target AND f.seq = step.seq;
        WHEN 3 THEN
            INSERT INTO forward_expired AS f (destination, events, at) VALUES (target, step.seq, step.moment)
            ON CONFLICT (destination) DO UPDATE SET events = f.events + excluded.events, at = excluded.at;
        ELSE
            PERFORM promote_forward(target, step.lane, step.moment);
        END CASE;
    END LOOP;
    INSERT INTO forward_position AS p (destination, seq) VALUES (target, through)
    ON CONFLICT (destination) DO UPDATE SET seq = excluded.seq WHERE p.seq < excluded.seq;
    IF deleted > 0 THEN
        DELETE FROM forward_event f WHERE f.destination = target AND f.seq <= deleted AND f.dead_at IS NOT NULL;
    END IF;
    RETURN true;
END
$$;

-- What each destination of alerts was told about the events, which every node sees. What a node tells about itself is in
-- its own database.
CREATE TABLE alert_told (
    destination text   NOT NULL,
    name        text   NOT NULL,
    -- 0: the alert is about no instance.
    id_instance bigint NOT NULL,
    subject     text   NOT NULL,
    -- Of the alert, in milliseconds since 1970.
    since       bigint NOT NULL,
    told_at     bigint NOT NULL,
    is_resolved bool   NOT NULL,
    PRIMARY KEY (destination, name, id_instance, subject)
);

-- When each destination of alerts got its last heartbeat, in milliseconds since 1970.
CREATE TABLE alert_heartbeat (
    destination text   PRIMARY KEY,
    at          bigint NOT NULL
);

-- Saves what a destination was told, and forgets what ended before the moment `forget`. Returns whether the caller is the
-- holder of the lease; otherwise nothing is saved.
CREATE FUNCTION save_told(
    me text, my_term bigint, target text, heartbeat bigint, forget bigint,
    names text[], instances bigint[], subjects text[], sinces bigint[], moments bigint[], resolved bool[]
) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
    IF NOT holds_lease('alerts', me, my_term) THEN
        RETURN false;
    END IF;
    INSERT INTO alert_told (destination, name, id_instance, subject, since, told_at, is_resolved)
    SELECT target, t.* FROM unnest(names, instances, subjects, sinces, moments, resolved) AS t
    ON CONFLICT (destination, name, id_instance, subject) DO UPDATE SET
        since = excluded.since, told_at = excluded.told_at, is_resolved = excluded.is_resolved;
    DELETE FROM alert_told a WHERE a.destination = target AND a.is_resolved AND a.told_at < forget;
    IF heartbeat IS NOT NULL THEN
        INSERT INTO alert_heartbeat (destination, at) VALUES (target, heartbeat)
        ON CONFLICT (destination) DO UPDATE SET at = excluded.at;
    END IF;
    RETURN true;
END
$$;

-- How far retention is: every event up to `seq` is deleted, and each node deletes it from its copy. One row.
CREATE TABLE retention (
    one bool   PRIMARY KEY DEFAULT true CHECK (one),
    seq bigint NOT NULL
) WITH (fillfactor = 50);

INSERT INTO retention (seq) VALUES (0);

-- Deletes the oldest events, and their counts of deliveries. Returns whether the caller is the holder of the lease;
-- otherwise nothing is deleted.
CREATE FUNCTION prune_events(me text, my_term bigint, through bigint) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
    IF NOT holds_lease('retention', me, my_term) THEN
        RETURN false;
    END IF;
    DELETE FROM event e WHERE e.seq <= through;
    DELETE FROM repeat r WHERE r.seq <= through;
    UPDATE retention t SET seq = through WHERE t.seq < through;
    PERFORM pg_notify('green_inbox_feed', '');
    RETURN true;
END
$$;
