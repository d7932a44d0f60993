-- The chronicle's own copy of every ledger of every service. The application role inserts and reads;
-- nobody updates or deletes, and the triggers fire for every role and setting.

CREATE SCHEMA copy;

CREATE TABLE copy.record (
    ledger         text        NOT NULL,
    position       bigint      NOT NULL CHECK (position > 0),
    stream         text        NOT NULL,
    version        bigint      NOT NULL,
    prev           bigint      NOT NULL,
    event_id       uuid        NOT NULL,
    type           text        NOT NULL,
    schema_version integer     NOT NULL,
    recorded_at    timestamptz NOT NULL,
    command_id     uuid,
    salt           bytea       NOT NULL,
    data           bytea       NOT NULL,
    meta           bytea       NOT NULL,
    PRIMARY KEY (ledger, position)
) PARTITION BY LIST (ledger);

CREATE INDEX record_event_id ON copy.record (event_id);
CREATE INDEX record_type ON copy.record (ledger, type, position);

CREATE FUNCTION copy.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'copies of facts are never changed: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'LE403';
END $$;

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON copy.record
    FOR EACH STATEMENT EXECUTE FUNCTION copy.refuse_change();
ALTER TABLE copy.record ENABLE ALWAYS TRIGGER refuse_change;

-- Makes a ledger's partition number `p_number` (2^24 positions each, whole tiles) ahead of need.
CREATE FUNCTION copy.open_partition(p_ledger text, p_number bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    whole text := 'record_' || replace(p_ledger, '-', '_');
    part  text := whole || '_p' || p_number;
BEGIN
    IF to_regclass('copy.' || whole) IS NULL THEN
        EXECUTE format('CREATE TABLE copy.%I PARTITION OF copy.record FOR VALUES IN (%L) PARTITION BY RANGE (position)',
                       whole, p_ledger);
        EXECUTE format('CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON copy.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION copy.refuse_change()', whole);
        EXECUTE format('ALTER TABLE copy.%I ENABLE ALWAYS TRIGGER refuse_change', whole);
    END IF;
    IF to_regclass('copy.' || part) IS NULL THEN
        EXECUTE format('CREATE TABLE copy.%I PARTITION OF copy.%I FOR VALUES FROM (%s) TO (%s)',
                       part, whole, p_number * 16777216 + 1, (p_number + 1) * 16777216 + 1);
        EXECUTE format('CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON copy.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION copy.refuse_change()', part);
        EXECUTE format('ALTER TABLE copy.%I ENABLE ALWAYS TRIGGER refuse_change', part);
    END IF;
END $$;

REVOKE ALL ON FUNCTION copy.open_partition FROM PUBLIC;
