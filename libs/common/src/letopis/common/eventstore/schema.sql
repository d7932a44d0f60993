-- The event store of one database: gap-free ledgers, streams, commands and telemetry sources.
-- The application role may call es.append, es.append_batch and es.open_ahead, and read; nobody updates or deletes facts.

CREATE SCHEMA es;

CREATE TABLE es.ledger (
    ledger text PRIMARY KEY CHECK (ledger ~ '^[a-z][a-z0-9-]*$'),
    head   bigint NOT NULL DEFAULT 0
);

CREATE TABLE es.stream (
    ledger        text    NOT NULL,
    stream        text    NOT NULL,
    version       bigint  NOT NULL,
    last_position bigint  NOT NULL,
    closed        boolean NOT NULL DEFAULT false,
    PRIMARY KEY (ledger, stream)
) WITH (fillfactor = 70);

CREATE TABLE es.command (
    ledger       text  NOT NULL,
    command_id   uuid  NOT NULL,
    request_hash bytea NOT NULL,
    first_pos    bigint NOT NULL,
    last_pos     bigint NOT NULL,
    PRIMARY KEY (ledger, command_id)
) WITH (fillfactor = 70);

CREATE TABLE es.source (
    ledger        text   NOT NULL,
    source_id     uuid   NOT NULL,
    last_seq      bigint NOT NULL,
    last_position bigint NOT NULL,
    PRIMARY KEY (ledger, source_id)
) WITH (fillfactor = 70);

CREATE TABLE es.event (
    ledger         text        NOT NULL,
    position       bigint      NOT NULL,
    stream         text        NOT NULL CHECK (stream ~ '^[\x21-\x7e]+$'),
    version        bigint      NOT NULL,
    prev           bigint      NOT NULL,
    event_id       uuid        NOT NULL,
    type           text        NOT NULL CHECK (type ~ '^[\x21-\x7e]+$'),
    schema_version integer     NOT NULL,
    recorded_at    timestamptz NOT NULL,
    command_id     uuid,
    salt           bytea       NOT NULL CHECK (octet_length(salt) = 16),
    data           bytea       NOT NULL,
    meta           bytea       NOT NULL,
    PRIMARY KEY (ledger, position)
) PARTITION BY LIST (ledger);

CREATE INDEX event_stream ON es.event (ledger, stream, position);
CREATE INDEX event_id ON es.event (event_id);

CREATE FUNCTION es.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'facts are never changed: % on % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'LE403';
END $$;

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON es.event
    FOR EACH STATEMENT EXECUTE FUNCTION es.refuse_change();
ALTER TABLE es.event ENABLE ALWAYS TRIGGER refuse_change;

-- How many positions a partition holds: whole tiles of the Merkle tree. Never changed once a ledger has facts.
CREATE FUNCTION es.partition_size() RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 16777216::bigint';

-- Opens a ledger, or makes one of its partitions; whether there was something to do. A table is attached rather than
-- created in place, because that does not lock out those who write and read meanwhile.
CREATE FUNCTION es.open_partition(p_ledger text, p_number bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    whole text := 'event_' || replace(p_ledger, '-', '_');
    part  text := whole || '_p' || p_number;
    size  bigint := es.partition_size();
BEGIN
    IF to_regclass('es.' || part) IS NOT NULL THEN
        RETURN false;
    END IF;
    INSERT INTO es.ledger (ledger) VALUES (p_ledger) ON CONFLICT DO NOTHING;
    IF to_regclass('es.' || whole) IS NULL THEN
        EXECUTE format('CREATE TABLE es.%I PARTITION OF es.event FOR VALUES IN (%L) PARTITION BY RANGE (position)',
                       whole, p_ledger);
        EXECUTE format('CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON es.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION es.refuse_change()', whole);
        EXECUTE format('ALTER TABLE es.%I ENABLE ALWAYS TRIGGER refuse_change', whole);
    END IF;
    EXECUTE format('CREATE TABLE es.%I (LIKE es.%I INCLUDING ALL)', part, whole);
    EXECUTE format('CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON es.%I '
                   'FOR EACH STATEMENT EXECUTE FUNCTION es.refuse_change()', part);
    EXECUTE format('ALTER TABLE es.%I ENABLE ALWAYS TRIGGER refuse_change', part);
    EXECUTE format('ALTER TABLE es.%I ATTACH PARTITION es.%I FOR VALUES FROM (%s) TO (%s)',
                   whole, part, p_number * size + 1, (p_number + 1) * size + 1);
    RETURN true;
END $$;

-- Makes the partition after the one that each ledger writes to, long before it is needed; the names of what was made.
CREATE FUNCTION es.open_ahead() RETURNS TABLE (ledger text, number bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = es, pg_temp SET lock_timeout = '2s' AS $$
BEGIN
    -- Several workers may ask at once.
    PERFORM pg_advisory_xact_lock(hashtext('es.open_ahead'));
    FOR ledger, number IN
        SELECT l.ledger, greatest(l.head - 1, 0) / es.partition_size() + ahead
        FROM es.ledger l, generate_series(0, 1) AS ahead ORDER BY 1, 2
    LOOP
        IF es.open_partition(ledger, number) THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END $$;

-- Partitions that left for the archive: the object that names their facts' objects, the hash of their whole subtree of
-- the Merkle tree (RFC 6962), and the sealed checkpoint that covered them.
CREATE TABLE es.archive (
    ledger     text        NOT NULL,
    number     bigint      NOT NULL,
    first_pos  bigint      NOT NULL,
    last_pos   bigint      NOT NULL,
    manifest   text        NOT NULL CHECK (manifest ~ '^[0-9a-f]{64}$'),
    subtree    bytea       NOT NULL CHECK (octet_length(subtree) = 32),
    checkpoint text        NOT NULL,
    retired_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (ledger, number)
);
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON es.archive
    FOR EACH STATEMENT EXECUTE FUNCTION es.refuse_change();
ALTER TABLE es.archive ENABLE ALWAYS TRIGGER refuse_change;

-- One command or several that wait together: one statement, one commit, an outcome each.
-- Everybody takes locks in the same order: commands, streams (each sorted), the ledger row last. It is held until
-- commit, so positions are given out in commit order and without gaps.
--
-- p_commands, p_hashes: one a command (an id may be NULL). p_owner, p_streams, p_expected, p_counts, p_closes: one a
-- stream that a command appends to; p_owner is the place of its command, a stream MUST NOT stand there twice.
-- The facts follow in the order of the streams. `refusal` is empty or the SQLSTATE that says why nothing of this
-- command was written; a repeated command gets its first positions.
CREATE FUNCTION es.append(
    p_ledger text, p_commands uuid[], p_hashes bytea[],
    p_order integer[], p_owner integer[], p_streams text[], p_expected bigint[], p_counts integer[], p_closes boolean[],
    p_ids uuid[], p_types text[], p_versions integer[], p_salts bytea[], p_data bytea[], p_meta bytea[]
) RETURNS TABLE (refusal text, first_pos bigint, last_pos bigint, replayed boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = es, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    commands constant integer := cardinality(p_commands);
    streams  constant integer := cardinality(p_streams);
    refusals text[]    := array_fill(''::text, ARRAY[commands]);
    firsts   bigint[]  := array_fill(NULL::bigint, ARRAY[commands]);
    lasts    bigint[]  := array_fill(NULL::bigint, ARRAY[commands]);
    again    boolean[] := array_fill(false, ARRAY[commands]);
    was      bigint[]  := array_fill(0::bigint, ARRAY[streams]);
    part     integer[] := '{}';
    place    bigint[]  := array_fill(NULL::bigint, ARRAY[streams]);
    seen     bigint[]  := array_fill(0::bigint, ARRAY[streams]);
    facts    bigint    := 0;
    given    bigint    := 0;
    base     bigint;
    c        integer;
    k        integer;
    twin     es.command;
    here     es.stream;
BEGIN
    FOR c IN 1..commands LOOP
        CONTINUE WHEN p_commands[c] IS NULL;
        INSERT INTO es.command VALUES (p_ledger, p_commands[c], p_hashes[c], 0, 0) ON CONFLICT DO NOTHING;
        CONTINUE WHEN FOUND;
        SELECT * INTO STRICT twin FROM es.command t WHERE t.ledger = p_ledger AND t.command_id = p_commands[c];
        again[c] := true; firsts[c] := twin.first_pos; lasts[c] := twin.last_pos;
        IF twin.request_hash <> p_hashes[c] THEN
            refusals[c] := 'LE421';
        END IF;
    END LOOP;

    FOREACH k IN ARRAY p_order LOOP
        c := p_owner[k];
        CONTINUE WHEN again[c] OR refusals[c] <> '';
        IF p_expected[k] = 0 THEN
            INSERT INTO es.stream VALUES (p_ledger, p_streams[k], 0, 0) ON CONFLICT DO NOTHING;
            CONTINUE WHEN FOUND;
        END IF;
        SELECT * INTO here FROM es.stream s WHERE s.ledger = p_ledger AND s.stream = p_streams[k] FOR UPDATE;
        IF here.closed THEN
            refusals[c] := 'LE410';
        ELSIF here.version IS DISTINCT FROM p_expected[k] THEN
            refusals[c] := 'LE409';
        END IF;
        was[k] := here.last_position;
    END LOOP;

    FOR k IN 1..streams LOOP
        c := p_owner[k];
        seen[k] := facts;
        facts := facts + p_counts[k];
        part := part || array_fill(k, ARRAY[p_counts[k]]);
        IF p_counts[k] < 1 THEN
            RAISE EXCEPTION 'an append needs facts' USING ERRCODE = 'LE422';
        END IF;
        IF NOT again[c] AND refusals[c] = '' THEN
            place[k] := given;
            given := given + p_counts[k];
        END IF;
    END LOOP;
    IF facts <> cardinality(p_ids) OR facts = 0 THEN
        RAISE EXCEPTION 'an append needs facts' USING ERRCODE = 'LE422';
    END IF;

    IF given > 0 THEN
        UPDATE es.ledger l SET head = l.head + given WHERE l.ledger = p_ledger
            RETURNING l.head - given INTO STRICT base;
        INSERT INTO es.event
            SELECT p_ledger, base + place[f.k] + f.i - seen[f.k], p_streams[f.k], p_expected[f.k] + f.i - seen[f.k],
                   CASE f.i - seen[f.k] WHEN 1 THEN was[f.k] ELSE base + place[f.k] + f.i - seen[f.k] - 1 END,
                   f.id, f.type, f.sv, clock_timestamp(), p_commands[p_owner[f.k]], f.salt, f.data, f.meta
            FROM unnest(part, p_ids, p_types, p_versions, p_salts, p_data, p_meta) WITH ORDINALITY
                 AS f (k, id, type, sv, salt, data, meta, i)
            WHERE place[f.k] IS NOT NULL;
        FOR k IN 1..streams LOOP
            CONTINUE WHEN place[k] IS NULL;
            c := p_owner[k];
            firsts[c] := coalesce(firsts[c], base + place[k] + 1);
            lasts[c] := base + place[k] + p_counts[k];
            UPDATE es.stream s SET version = p_expected[k] + p_counts[k], last_position = lasts[c], closed = p_closes[k]
                WHERE s.ledger = p_ledger AND s.stream = p_streams[k];
        END LOOP;
    END IF;

    FOR c IN 1..commands LOOP
        IF NOT again[c] AND p_commands[c] IS NOT NULL THEN
            IF refusals[c] = '' THEN
                UPDATE es.command t SET first_pos = firsts[c], last_pos = lasts[c]
                    WHERE t.ledger = p_ledger AND t.command_id = p_commands[c];
            ELSE
                DELETE FROM es.command t WHERE t.ledger = p_ledger AND t.command_id = p_commands[c];
            END IF;
        END IF;
        refusal := refusals[c]; first_pos := firsts[c]; last_pos := lasts[c]; replayed := again[c];
        RETURN NEXT;
    END LOOP;
    -- A refused command leaves no trace, also not of a stream that it would have begun.
    IF given < facts THEN
        DELETE FROM es.stream s WHERE s.ledger = p_ledger AND s.stream = ANY (p_streams) AND s.version = 0;
    END IF;
END $$;

-- Telemetry of one journal: what the source has already delivered is skipped, a hole is refused.
CREATE FUNCTION es.append_batch(
    p_ledger text, p_source uuid, p_first bigint,
    p_ids uuid[], p_types text[], p_versions integer[], p_salts bytea[], p_data bytea[], p_meta bytea[],
    OUT first_pos bigint, OUT last_pos bigint, OUT replayed boolean
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = es, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    n    bigint;
    seq  bigint;
    was  bigint;
    skip bigint;
    base bigint;
BEGIN
    INSERT INTO es.source VALUES (p_ledger, p_source, 0, 0) ON CONFLICT DO NOTHING;
    SELECT s.last_seq, s.last_position INTO STRICT seq, was
        FROM es.source s WHERE s.ledger = p_ledger AND s.source_id = p_source FOR UPDATE;
    IF p_first > seq + 1 THEN
        RAISE EXCEPTION 'source % has delivered %, the batch starts at %', p_source, seq, p_first
            USING ERRCODE = 'LE424';
    END IF;
    skip := seq + 1 - p_first;
    n := cardinality(p_ids) - skip;
    IF n <= 0 THEN
        first_pos := was + 1; last_pos := was; replayed := true;
        RETURN;
    END IF;
    UPDATE es.ledger l SET head = l.head + n WHERE l.ledger = p_ledger RETURNING l.head - n INTO STRICT base;
    INSERT INTO es.event
        SELECT p_ledger, base + i - skip, 'journal:' || p_source, p_first + i - 1,
               CASE i - skip WHEN 1 THEN was ELSE base + i - skip - 1 END,
               id, type, sv, clock_timestamp(), NULL, salt, data, meta
        FROM unnest(p_ids, p_types, p_versions, p_salts, p_data, p_meta) WITH ORDINALITY
             AS f (id, type, sv, salt, data, meta, i)
        WHERE i > skip;
    UPDATE es.source s SET last_seq = seq + n, last_position = base + n
        WHERE s.ledger = p_ledger AND s.source_id = p_source;
    first_pos := base + 1; last_pos := base + n; replayed := skip > 0;
END $$;

REVOKE ALL ON FUNCTION es.append, es.append_batch, es.open_partition, es.open_ahead FROM PUBLIC;

CREATE VIEW es.readable AS
    SELECT ledger, position, stream, version, type, schema_version, recorded_at,
           convert_from(data, 'UTF8')::json AS data, convert_from(meta, 'UTF8')::json AS meta
    FROM es.event;
