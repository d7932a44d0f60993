-- Progress of views, relay and reactions. All of it can be rebuilt: facts are the truth.

CREATE SCHEMA projecting;

-- One row a schema that holds a view. A program uses the rows of its own version and shape.
CREATE TABLE projecting.view_state (
    view        text        NOT NULL,
    version     integer     NOT NULL,
    generation  integer     NOT NULL,
    shape       text        NOT NULL,
    schema_name text        NOT NULL UNIQUE,
    state       text        NOT NULL CHECK (state IN ('building', 'catching_up', 'live', 'retired')),
    made_at     timestamptz NOT NULL DEFAULT now(),
    changed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (view, version, generation)
);

CREATE UNIQUE INDEX one_live ON projecting.view_state (view, version) WHERE state = 'live';

CREATE TABLE projecting.checkpoint (
    view       text    NOT NULL,
    version    integer NOT NULL,
    generation integer NOT NULL,
    ledger     text    NOT NULL,
    position   bigint  NOT NULL DEFAULT 0,
    PRIMARY KEY (view, version, generation, ledger),
    FOREIGN KEY (view, version, generation) REFERENCES projecting.view_state ON DELETE CASCADE
) WITH (fillfactor = 50);

CREATE SCHEMA outbox;

-- How far the relay has come, as it last knew; the stream itself is asked when it starts.
CREATE TABLE outbox.relay (
    ledger   text   PRIMARY KEY,
    position bigint NOT NULL
) WITH (fillfactor = 50);

-- News that was lost and published again.
CREATE TABLE outbox.incident (
    ledger      text        NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind        text        NOT NULL,
    expected    bigint      NOT NULL,
    found       bigint      NOT NULL
);

-- How far replays have come; what a subject of the bus tells of itself goes before.
CREATE TABLE outbox.replay (
    replay_id uuid   PRIMARY KEY,
    position  bigint NOT NULL,
    published bigint NOT NULL
) WITH (fillfactor = 50);

CREATE SCHEMA reacting;

CREATE TABLE reacting.checkpoint (
    reaction text   NOT NULL,
    ledger   text   NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (reaction, ledger)
) WITH (fillfactor = 50);

-- Facts that a reaction could not take, and later facts of the same stream, which wait behind them.
CREATE TABLE reacting.parked (
    reaction  text        NOT NULL,
    ledger    text        NOT NULL,
    position  bigint      NOT NULL,
    stream    text        NOT NULL,
    type      text        NOT NULL,
    event_id  uuid        NOT NULL,
    state     text        NOT NULL CHECK (state IN ('failed', 'waiting', 'released')),
    error     text        NOT NULL,
    attempts  integer     NOT NULL DEFAULT 1,
    parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (reaction, ledger, position)
);

CREATE INDEX parked_stream ON reacting.parked (reaction, ledger, stream);
