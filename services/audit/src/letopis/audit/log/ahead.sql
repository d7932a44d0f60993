-- Partitions of the copies are made ahead, as the owners' are: by a part of every worker, long before they are needed.

-- Makes a ledger's partition number `p_number` (2^24 positions each, whole tiles); whether there was something to do.
-- A table is attached rather than created in place, because that does not lock out those who write and read meanwhile.
DROP FUNCTION copy.open_partition(text, bigint);
CREATE FUNCTION copy.open_partition(p_ledger text, p_number bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    whole text := 'record_' || replace(p_ledger, '-', '_');
    part  text := whole || '_p' || p_number;
BEGIN
    IF to_regclass('copy.' || part) IS NOT NULL THEN
        RETURN false;
    END IF;
    IF to_regclass('copy.' || whole) IS NULL THEN
        EXECUTE format('CREATE TABLE copy.%I PARTITION OF copy.record FOR VALUES IN (%L) PARTITION BY RANGE (position)',
                       whole, p_ledger);
        EXECUTE format('CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON copy.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION copy.refuse_change()', whole);
        EXECUTE format('ALTER TABLE copy.%I ENABLE ALWAYS TRIGGER refuse_change', whole);
    END IF;
    EXECUTE format('CREATE TABLE copy.%I (LIKE copy.%I INCLUDING ALL)', part, whole);
    EXECUTE format('CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON copy.%I '
                   'FOR EACH STATEMENT EXECUTE FUNCTION copy.refuse_change()', part);
    EXECUTE format('ALTER TABLE copy.%I ENABLE ALWAYS TRIGGER refuse_change', part);
    EXECUTE format('ALTER TABLE copy.%I ATTACH PARTITION copy.%I FOR VALUES FROM (%s) TO (%s)',
                   whole, part, p_number * 16777216 + 1, (p_number + 1) * 16777216 + 1);
    RETURN true;
END $$;

-- Makes the partition after the one that each of these ledgers is copied to; the names of what was made. A ledger that
-- the migration did not open is not opened here: the application may not add to what is kept.
CREATE FUNCTION copy.open_ahead(p_ledgers text[]) RETURNS TABLE (ledger text, number bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = copy, pg_temp SET lock_timeout = '2s' AS $$
BEGIN
    -- Several workers may ask at once.
    PERFORM pg_advisory_xact_lock(hashtext('copy.open_ahead'));
    FOR ledger, number IN
        SELECT l, coalesce((SELECT max(r.position) - 1 FROM copy.record r WHERE r.ledger = l), 0) / 16777216 + ahead
        FROM unnest(p_ledgers) AS l, generate_series(0, 1) AS ahead
        WHERE to_regclass('copy.record_' || replace(l, '-', '_')) IS NOT NULL ORDER BY 1, 2
    LOOP
        IF copy.open_partition(ledger, number) THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION copy.open_partition, copy.open_ahead FROM PUBLIC;
