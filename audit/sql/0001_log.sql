-- One log: its entries, its tree, its sealed values, and who may do what to them.
--
-- Run by the owner of the database (`audit.database.create`).  {schema} and {keys} are this log's schemas, {append},
-- {read} and {erase} are group roles of the cluster.  The application's login belongs to {append}, which may write only
-- through append(), publish() and the like: it has neither UPDATE nor DELETE nor TRUNCATE on any table, and INSERT on
-- anchor alone.  An owner or a superuser can get around all of this; the tree and the anchors are what shows that it happened.

CREATE SCHEMA {schema};
-- The wrapped keys have a schema of their own, so that their backups can have a bounded life of their own.
CREATE SCHEMA {keys};

-- One row: where the log stands.  Its row lock gives the order of the entries, for every process on every host.
CREATE TABLE {schema}.head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    origin text NOT NULL CHECK (origin <> ''),
    size bigint NOT NULL DEFAULT 0,
    range bytea[] NOT NULL DEFAULT '{{}}',
    epoch bigint NOT NULL DEFAULT 0,
    signed_size bigint NOT NULL DEFAULT 0,
    signed_note bytea,
    CHECK (size >= signed_size AND signed_size >= 0),
    CHECK (cardinality(range) = bit_count(size::bit(64)))
) WITH (fillfactor = 10); -- updated by every commit: must stay a HOT update

COMMENT ON COLUMN {schema}.head.range IS 'compact range: roots of the perfect subtrees, largest first';
COMMENT ON COLUMN {schema}.head.epoch IS 'number of erasures; a key that was cached before one may be destroyed by now';

-- What is hashed, byte for byte, and what it is found by.  No column holds anything personal.
CREATE TABLE {schema}.entry (
    idx bigint PRIMARY KEY CHECK (idx >= 0),
    at timestamptz NOT NULL,
    xid uuid NOT NULL,
    type smallint NOT NULL,
    states smallint NOT NULL,
    leaf bytea NOT NULL CHECK (octet_length(leaf) = 32),
    court text,
    body bytea NOT NULL CHECK (octet_length(body) BETWEEN 1 AND 65535),
    UNIQUE (xid, type)
);

COMMENT ON COLUMN {schema}.entry.states IS 'bit n is set when an agency answered with the n-th answer state';

CREATE INDEX entry_at ON {schema}.entry USING brin (at) WITH (pages_per_range = 16, autosummarize = on);
-- Two lookups in three records; everything rarer is found by its type.
CREATE INDEX entry_rare ON {schema}.entry (type, idx) WHERE type > 2;

-- The root of every full subtree of 256, 65,536, … entries: makes a tile or a proof a matter of a few rows.
CREATE TABLE {schema}.subtree (
    level smallint NOT NULL CHECK (level BETWEEN 1 AND 7),
    n bigint NOT NULL,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (level, n)
);

-- The personal values of an entry, sealed, one box for the party and one for the member of staff, and the keyed marks
-- by which they are found.  Outside the leaf, so that erasing them leaves every proof as it was.
CREATE TABLE {schema}.sealed (
    idx bigint NOT NULL,
    party_key bigint,
    party_mark bigint,
    staff_key bigint,
    staff_mark bigint,
    case_mark bigint,
    order_mark bigint,
    slot smallint NOT NULL,
    party_box bytea,
    staff_box bytea,
    PRIMARY KEY (idx, slot)
);

CREATE INDEX sealed_party ON {schema}.sealed (party_mark, idx) WHERE party_mark IS NOT NULL;
CREATE INDEX sealed_staff ON {schema}.sealed (staff_mark, idx) WHERE staff_mark IS NOT NULL;
CREATE INDEX sealed_case ON {schema}.sealed (case_mark, idx) WHERE case_mark IS NOT NULL;
CREATE INDEX sealed_order ON {schema}.sealed (order_mark, idx) WHERE order_mark IS NOT NULL;

-- Raw answers and results, sealed; for evidence, never for browsing, and not for longer than expires_at.
CREATE TABLE {schema}.kept (
    idx bigint NOT NULL,
    n integer NOT NULL,
    kind text NOT NULL,
    agency text NOT NULL,
    capability text NOT NULL,
    key_id bigint NOT NULL,
    expires_at timestamptz NOT NULL,
    box bytea NOT NULL,
    PRIMARY KEY (idx, n)
);
ALTER TABLE {schema}.kept ALTER box SET STORAGE EXTERNAL; -- ciphertext does not compress
CREATE INDEX kept_expires ON {schema}.kept (expires_at);

-- A person may have several keys (each process makes its own); erasure destroys them all.
CREATE TABLE {keys}.subject_key (
    id bigint PRIMARY KEY,
    destroyed_at timestamptz,
    mark uuid,
    wrapped bytea,
    CHECK ((destroyed_at IS NULL) = (wrapped IS NOT NULL) AND (destroyed_at IS NULL) = (mark IS NOT NULL))
);
CREATE INDEX subject_key_mark ON {keys}.subject_key (mark) WHERE mark IS NOT NULL;

-- Older signed checkpoints: one a minute while the log grows, and every one that was given to others.
CREATE TABLE {schema}.checkpoint (
    size bigint PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    note bytea NOT NULL
);

-- What others said about a checkpoint: a witness's cosignature line, a timestamp reply, a delivery.  The note itself is
-- always kept beside it, byte for byte, or the evidence would speak of nothing.
CREATE TABLE {schema}.anchor (
    size bigint NOT NULL REFERENCES {schema}.checkpoint,
    kind text NOT NULL CHECK (kind IN ('cosignature', 'rfc3161', 'delivery')),
    name text NOT NULL,
    state text NOT NULL CHECK (state IN ('valid', 'unparsed')),
    at timestamptz NOT NULL,
    evidence bytea NOT NULL,
    PRIMARY KEY (size, kind, name)
);
CREATE INDEX anchor_newest ON {schema}.anchor (kind, name, size);

-- What this hub has cosigned for its neighbours; one row per foreign log, and it only grows.
CREATE TABLE {schema}.witnessed (
    origin text PRIMARY KEY,
    size bigint NOT NULL,
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    note bytea NOT NULL
);

-- How far the search for intents without an end has come: below this index none is open any more.
CREATE TABLE {schema}.sweep (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    below bigint NOT NULL DEFAULT 0
);
INSERT INTO {schema}.sweep DEFAULT VALUES;


-- The second fence: the application has no right to any of this anyway.
CREATE FUNCTION {schema}.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {schema}.entry EXECUTE FUNCTION {schema}.refuse();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {schema}.subtree EXECUTE FUNCTION {schema}.refuse();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {schema}.checkpoint
    EXECUTE FUNCTION {schema}.refuse();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {schema}.anchor EXECUTE FUNCTION {schema}.refuse();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON {schema}.head EXECUTE FUNCTION {schema}.refuse();

CREATE FUNCTION {schema}.only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.size < old.size OR new.signed_size < old.signed_size OR new.epoch < old.epoch OR new.origin <> old.origin
    THEN
        RAISE EXCEPTION 'the head of the audit log only grows' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN new;
END $$;

CREATE TRIGGER only_grows BEFORE UPDATE ON {schema}.head FOR EACH ROW EXECUTE FUNCTION {schema}.only_grows();


-- Appends a batch and returns the index of its first entry.  One statement, one round trip, one commit: the head row is
-- locked only while the server works, never while it waits for a client, so a stalled process cannot hold the log.
CREATE FUNCTION {schema}.append(
    epoch_seen bigint,
    bodies bytea[], leaves bytea[], xids uuid[], types smallint[], ats timestamptz[], courts text[],
    states_of smallint[],
    at_entry integer[], slots smallint[], party_keys bigint[], party_boxes bytea[], party_marks bigint[],
    staff_keys bigint[], staff_boxes bytea[], staff_marks bigint[], case_marks bigint[], order_marks bigint[],
    new_keys bigint[], key_marks uuid[], wrapped_keys bytea[],
    kept_at integer[], kept_n integer[], kinds text[], agencies text[], capabilities text[], kept_keys bigint[], kept_boxes bytea[],
    expiries timestamptz[]
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    first bigint;
    current bigint;
    next bigint;
    carry bigint;
    stack bytea[];
    depth integer;
    height integer;
    node bytea;
    full_levels smallint[] := '{{}}';
    full_numbers bigint[] := '{{}}';
    full_hashes bytea[] := '{{}}';
BEGIN
    -- A role's or a database's default can weaken durability behind our back; this transaction waits for its WAL.
    IF current_setting('synchronous_commit') NOT IN ('on', 'remote_apply') THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    SELECT size, range, epoch INTO STRICT first, stack, current FROM {schema}.head FOR UPDATE;
    IF current <> epoch_seen THEN
        RAISE EXCEPTION 'a key was destroyed since this was sealed' USING ERRCODE = 'AU001';
    END IF;
    next := first;
    depth := cardinality(stack);
    FOREACH node IN ARRAY leaves LOOP
        carry := next;
        height := 0;
        WHILE carry & 1 = 1 LOOP
            node := sha256('\x01'::bytea || stack[depth] || node);
            depth := depth - 1;
            carry := carry >> 1;
            height := height + 1;
            IF height & 7 = 0 THEN
                full_levels := full_levels || (height >> 3)::smallint;
                full_numbers := full_numbers || carry;
                full_hashes := full_hashes || node;
            END IF;
        END LOOP;
        depth := depth + 1;
        stack[depth] := node;
        next := next + 1;
    END LOOP;
    UPDATE {schema}.head SET size = next, range = stack[1:depth];
    INSERT INTO {schema}.entry (idx, body, leaf, xid, type, at, court, states)
        SELECT first + u.n - 1, u.body, u.leaf, u.xid, u.type, u.at, u.court, u.states
        FROM unnest(bodies, leaves, xids, types, ats, courts, states_of) WITH ORDINALITY
            AS u (body, leaf, xid, type, at, court, states, n);
    INSERT INTO {schema}.sealed (idx, slot, party_key, party_box, party_mark, staff_key, staff_box, staff_mark,
                                 case_mark, order_mark)
        SELECT first + u.n, u.slot, u.pk, u.pb, u.pm, u.sk, u.sb, u.sm, u.cm, u.om
        FROM unnest(at_entry, slots, party_keys, party_boxes, party_marks, staff_keys, staff_boxes, staff_marks,
                    case_marks, order_marks) AS u (n, slot, pk, pb, pm, sk, sb, sm, cm, om);
    IF cardinality(full_levels) > 0 THEN
        INSERT INTO {schema}.subtree SELECT * FROM unnest(full_levels, full_numbers, full_hashes);
    END IF;
    IF cardinality(new_keys) > 0 THEN
        INSERT INTO {keys}.subject_key (id, mark, wrapped)
            SELECT * FROM unnest(new_keys, key_marks, wrapped_keys) ON CONFLICT (id) DO NOTHING;
    END IF;
    IF cardinality(kept_at) > 0 THEN
        INSERT INTO {schema}.kept (idx, n, kind, agency, capability, key_id, box, expires_at)
            SELECT first + u.at_entry, u.n, u.kind, u.agency, u.capability, u.key_id, u.box, u.expires_at
            FROM unnest(kept_at, kept_n, kinds, agencies, capabilities, kept_keys, kept_boxes, expiries)
                AS u (at_entry, n, kind, agency, capability, key_id, box, expires_at);
    END IF;
    RETURN first;
END $$;


-- Publishes a signed checkpoint if it is larger than the last one; says whether it was.
CREATE FUNCTION {schema}.publish(signed bigint, note bytea) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    UPDATE {schema}.head SET signed_size = signed, signed_note = publish.note
        WHERE (signed_size < signed OR signed_note IS NULL) AND size >= signed;
    IF NOT found THEN
        RETURN false;
    END IF;
    -- One a minute is kept for good: enough to say when a history was rewritten, and no litter.
    IF signed = 0 OR clock_timestamp() - interval '1 minute' >= (
        SELECT at FROM {schema}.checkpoint ORDER BY size DESC LIMIT 1)
    THEN
        INSERT INTO {schema}.checkpoint (size, note) VALUES (signed, publish.note);
    END IF;
    RETURN true;
END $$;


-- Keeps the newest signed checkpoint for good, before it is published, and returns it.
CREATE FUNCTION {schema}.keep() RETURNS TABLE (kept_size bigint, kept_note bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    newest bigint;
    signed bytea;
BEGIN
    SELECT h.signed_size, h.signed_note INTO STRICT newest, signed FROM {schema}.head h;
    IF signed IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO {schema}.checkpoint (size, note) VALUES (newest, signed) ON CONFLICT (size) DO NOTHING;
    RETURN QUERY SELECT c.size, c.note FROM {schema}.checkpoint c WHERE c.size = newest;
END $$;


-- Remembers how far the search for open intents has come; it only goes forward.
CREATE FUNCTION {schema}.swept(upto bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    UPDATE {schema}.sweep SET below = upto WHERE below < upto;
$$;


-- Takes note of a neighbour's checkpoint that was checked against `old`; says whether `old` was still the last one.
CREATE FUNCTION {schema}.witness(log text, old bigint, new_size bigint, new_root bytea, new_note bytea) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    IF old > new_size THEN
        RETURN false;
    END IF;
    -- What is cosigned must be remembered through any crash, or two histories could be cosigned.
    IF current_setting('synchronous_commit') NOT IN ('on', 'remote_apply') THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    INSERT INTO {schema}.witnessed (origin, size, root, note) SELECT log, new_size, new_root, new_note WHERE old = 0
        ON CONFLICT (origin) DO NOTHING;
    IF found THEN
        RETURN true;
    END IF;
    UPDATE {schema}.witnessed SET size = new_size, root = new_root, note = new_note WHERE origin = log AND size = old;
    RETURN found;
END $$;


-- Which of these records are in the log, once every append that was under way has ended.
CREATE FUNCTION {schema}.settled(xids uuid[], types smallint[])
RETURNS TABLE (n bigint, found_at bigint, found_leaf bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    PERFORM 1 FROM {schema}.head FOR UPDATE;
    RETURN QUERY SELECT u.n, e.idx, e.leaf
        FROM unnest(xids, types) WITH ORDINALITY AS u (xid, type, n) JOIN {schema}.entry e USING (xid, type);
END $$;


-- Destroys keys, and makes every process drop the keys that it holds in memory.
CREATE FUNCTION {schema}.destroy_keys(doomed bigint[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    destroyed bigint;
BEGIN
    UPDATE {schema}.head SET epoch = epoch + 1;
    UPDATE {keys}.subject_key SET destroyed_at = clock_timestamp(), mark = NULL, wrapped = NULL
        WHERE id = ANY (doomed) AND destroyed_at IS NULL;
    GET DIAGNOSTICS destroyed = ROW_COUNT;
    DELETE FROM {schema}.kept WHERE key_id = ANY (doomed);
    RETURN destroyed;
END $$;


-- Removes what was sealed under destroyed keys, and the marks by which it was found.  Touches no living key's boxes.
CREATE FUNCTION {schema}.clear_boxes(doomed bigint[], mark bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    dead bigint[] := ARRAY (SELECT id FROM {keys}.subject_key WHERE id = ANY (doomed) AND destroyed_at IS NOT NULL);
    places bigint[] := ARRAY (
        SELECT f.idx FROM {schema}.entry f WHERE f.xid IN (
            SELECT e.xid FROM {schema}.entry e JOIN {schema}.sealed s USING (idx)
            WHERE s.party_mark = clear_boxes.mark OR s.staff_mark = clear_boxes.mark));
BEGIN
    UPDATE {schema}.sealed SET party_box = NULL, party_mark = NULL WHERE idx = ANY (places) AND party_key = ANY (dead);
    UPDATE {schema}.sealed SET staff_box = NULL, staff_mark = NULL, case_mark = NULL, order_mark = NULL
        WHERE idx = ANY (places) AND staff_key = ANY (dead);
    RETURN cardinality(places);
END $$;


REVOKE ALL ON ALL TABLES IN SCHEMA {schema}, {keys} FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {schema} FROM PUBLIC;
GRANT USAGE ON SCHEMA {schema}, {keys} TO {append}, {read}, {erase};
GRANT SELECT ON ALL TABLES IN SCHEMA {schema}, {keys} TO {append}, {read}, {erase};
GRANT INSERT ON {schema}.anchor TO {append};
GRANT EXECUTE ON FUNCTION {schema}.append, {schema}.settled, {schema}.publish, {schema}.keep,
    {schema}.swept, {schema}.witness TO {append};
GRANT EXECUTE ON FUNCTION {schema}.destroy_keys, {schema}.clear_boxes TO {erase};
GRANT DELETE ON {schema}.kept TO {erase};
