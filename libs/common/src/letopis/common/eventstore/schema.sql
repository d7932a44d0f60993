-- The event store of one database: gap-free ledgers, streams, commands and telemetry sources.
-- The application role may call es.append and es.append_batch and read; nobody updates or deletes facts.

CREATE SCHEMA es;

CREATE TABLE es.ledger (
    ledger text PRIMARY KEY CHECK (ledger ~ '^[a-z][a-z0-9-]*$'),
    head   bigint NOT NULL DEFAULT 0
);

CREATE TABLE es.stream (
    ledger        text    NOT NULL REFERENCES es.ledger,
    stream        text    NOT NULL,
    version       bigint  NOT NULL,
    last_position bigint  NOT NULL,
    closed        boolean NOT NULL DEFAULT false,
    PRIMARY KEY (ledger, stream)
) WITH (fillfactor = 70);

CREATE TABLE es.command (
    ledger       text  NOT NULL REFERENCES es.ledger,
    command_id   uuid  NOT NULL,
    request_hash bytea NOT NULL,
    first_pos    bigint NOT NULL,
    last_pos     bigint NOT NULL,
    PRIMARY KEY (ledger, command_id)
) WITH (fillfactor = 70);

CREATE TABLE es.source (
    ledger        text   NOT NULL REFERENCES es.ledger,
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

-- Opens a ledger, or makes its partition number `p_number` (2^24 positions each) ahead of need.
CREATE FUNCTION es.open_partition(p_ledger text, p_number bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    whole text := 'event_' || replace(p_ledger, '-', '_');
    part  text := whole || '_p' || p_number;
BEGIN
    INSERT INTO es.ledger (ledger) VALUES (p_ledger) ON CONFLICT DO NOTHING;
    IF to_regclass('es.' || whole) IS NULL THEN
        EXECUTE format('CREATE TABLE es.%I PARTITION OF es.event FOR VALUES IN (%L) PARTITION BY RANGE (position)',
                       whole, p_ledger);
        EXECUTE format('CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON es.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION es.refuse_change()', whole);
        EXECUTE format('ALTER TABLE es.%I ENABLE ALWAYS TRIGGER refuse_change', whole);
    END IF;
    IF to_regclass('es.' || part) IS NULL THEN
        EXECUTE format('CREATE TABLE es.%I PARTITION OF es.%I FOR VALUES FROM (%s) TO (%s)',
                       part, whole, p_number * 16777216 + 1, (p_number + 1) * 16777216 + 1);
        EXECUTE format('CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON es.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION es.refuse_change()', part);
        EXECUTE format('ALTER TABLE es.%I ENABLE ALWAYS TRIGGER refuse_change', part);
    END IF;
END $$;

-- One command: the stream MUST stand at p_expected. The ledger row is locked last and held until commit,
-- so positions are given out in commit order and without gaps. A repeated command gets its first positions.
CREATE FUNCTION es.append(
    p_ledger text, p_stream text, p_expected bigint, p_command uuid, p_hash bytea,
    p_ids uuid[], p_types text[], p_versions integer[], p_salts bytea[], p_data bytea[], p_meta bytea[],
    OUT first_pos bigint, OUT last_pos bigint, OUT replayed boolean
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = es, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    n    integer := cardinality(p_ids);
    was  bigint;
    base bigint;
    twin es.command;
BEGIN
    replayed := false;
    IF n = 0 THEN
        RAISE EXCEPTION 'an append needs facts' USING ERRCODE = 'LE422';
    END IF;
    IF p_command IS NOT NULL THEN
        INSERT INTO es.command VALUES (p_ledger, p_command, p_hash, 0, 0) ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            SELECT * INTO STRICT twin FROM es.command c WHERE c.ledger = p_ledger AND c.command_id = p_command;
            IF twin.request_hash <> p_hash THEN
                RAISE EXCEPTION 'command % came before with another request', p_command USING ERRCODE = 'LE421';
            END IF;
            first_pos := twin.first_pos; last_pos := twin.last_pos; replayed := true;
            RETURN;
        END IF;
    END IF;
    IF p_expected = 0 THEN
        INSERT INTO es.stream VALUES (p_ledger, p_stream, n, 0) ON CONFLICT DO NOTHING;
        was := 0;
    ELSE
        UPDATE es.stream s SET version = s.version + n
            WHERE s.ledger = p_ledger AND s.stream = p_stream AND s.version = p_expected AND NOT s.closed
            RETURNING s.last_position INTO was;
    END IF;
    IF NOT FOUND THEN
        IF EXISTS (SELECT 1 FROM es.stream s WHERE s.ledger = p_ledger AND s.stream = p_stream AND s.closed) THEN
            RAISE EXCEPTION 'stream % is closed', p_stream USING ERRCODE = 'LE410';
        END IF;
        RAISE EXCEPTION 'stream % is not at version %', p_stream, p_expected USING ERRCODE = 'LE409';
    END IF;
    UPDATE es.ledger l SET head = l.head + n WHERE l.ledger = p_ledger RETURNING l.head - n INTO STRICT base;
    INSERT INTO es.event
        SELECT p_ledger, base + i, p_stream, p_expected + i, CASE i WHEN 1 THEN was ELSE base + i - 1 END,
               id, type, sv, clock_timestamp(), p_command, salt, data, meta
        FROM unnest(p_ids, p_types, p_versions, p_salts, p_data, p_meta) WITH ORDINALITY
             AS f (id, type, sv, salt, data, meta, i);
    UPDATE es.stream s SET last_position = base + n WHERE s.ledger = p_ledger AND s.stream = p_stream;
    IF p_command IS NOT NULL THEN
        UPDATE es.command c SET first_pos = base + 1, last_pos = base + n
            WHERE c.ledger = p_ledger AND c.command_id = p_command;
    END IF;
    first_pos := base + 1; last_pos := base + n;
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

REVOKE ALL ON FUNCTION es.append, es.append_batch, es.open_partition FROM PUBLIC;

CREATE VIEW es.readable AS
    SELECT ledger, position, stream, version, type, schema_version, recorded_at,
           convert_from(data, 'UTF8')::json AS data, convert_from(meta, 'UTF8')::json AS meta
    FROM es.event;
