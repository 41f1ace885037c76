-- Divides the tables that grow without end into stretches of ids: quote, price_change, audit_event.
--
--     psql "$DATABASE" -f deploy/partitions.sql
--     psql "$DATABASE" -c "CALL forecourt_divide('quote', 100000000)"
--     psql "$DATABASE" -c "CALL forecourt_extend('quote', 100000000, 3)"   -- now and then, ahead of need
--
-- Ids rise with time, so a stretch of ids is a stretch of time, and the primary key stays what it
-- was: nothing that refers to a row, and nothing in Forecourt, changes. What the table holds becomes
-- the first partition as it stands; no row is copied. Both run in one transaction, and what else
-- works on the table waits: the check of the first partition reads it once.

CREATE OR REPLACE PROCEDURE forecourt_divide(big text, size bigint) LANGUAGE plpgsql AS $$
DECLARE
  first text := big || '_p0';
  boundary bigint;
  each record;
  referring record;
  referrers text[] := '{}';
BEGIN
  EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', big);
  EXECUTE format('SELECT (coalesce(max(id), 0) / %s + 1) * %s FROM %I', size, size, big) INTO boundary;

  -- Foreign keys of others that lead here are made anew, to the divided table.
  FOR referring IN
    SELECT conrelid::regclass::text AS owner, conname, pg_get_constraintdef(oid) AS body
    FROM pg_constraint WHERE contype = 'f' AND confrelid = big::regclass AND conparentid = 0
  LOOP
    referrers := referrers
      || format('ALTER TABLE %s ADD CONSTRAINT %I %s', referring.owner, referring.conname, referring.body);
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', referring.owner, referring.conname);
  END LOOP;

  EXECUTE format('ALTER TABLE %I RENAME TO %I', big, first);
  EXECUTE format(
    'CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (id)',
    big, first);
  IF pg_get_serial_sequence(first, 'id') IS NOT NULL THEN
    EXECUTE format('ALTER SEQUENCE %s OWNED BY %I.id', pg_get_serial_sequence(first, 'id'), big);
  END IF;

  -- Every index of the first partition becomes a part of one of the same name on the whole.
  FOR each IN
    SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS body, indisprimary
    FROM pg_index WHERE indrelid = first::regclass
  LOOP
    EXECUTE format('ALTER INDEX %I RENAME TO %I', each.name, first || substr(each.name, length(big) + 1));
    IF each.indisprimary THEN
      EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I PRIMARY KEY (id)', big, each.name);
    ELSE
      EXECUTE regexp_replace(each.body, ' ON \S+ USING', format(' ON %I USING', big));
    END IF;
  END LOOP;
  FOR each IN
    SELECT conname AS name, pg_get_constraintdef(oid) AS body
    FROM pg_constraint WHERE contype = 'f' AND conrelid = first::regclass
  LOOP
    EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I %s', big, each.name, each.body);
  END LOOP;

  EXECUTE format(
    'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (MINVALUE) TO (%s)', big, first, boundary);
  FOREACH first IN ARRAY referrers LOOP
    EXECUTE first;
  END LOOP;
  CALL forecourt_extend(big, size, 2);
END $$;

CREATE OR REPLACE PROCEDURE forecourt_extend(big text, size bigint, ahead int) LANGUAGE plpgsql AS $$
DECLARE
  there int;
  ends bigint;
  newest bigint;
BEGIN
  EXECUTE format('SELECT coalesce(max(id), 0) FROM %I', big) INTO newest;
  SELECT count(*), max(substring(pg_get_expr(relpartbound, oid) FROM 'TO \(''(\d+)''\)')::bigint)
    INTO there, ends
    FROM pg_class JOIN pg_inherits ON inhrelid = oid WHERE inhparent = big::regclass;
  WHILE ends <= newest + ahead * size LOOP
    EXECUTE format(
      'CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%s) TO (%s)',
      big || '_p' || there, big, ends, ends + size);
    there := there + 1;
    ends := ends + size;
  END LOOP;
END $$;
