-- Which history a database has, and a copy into it that is under way.

-- A revision tells how new something is only within an epoch. It is another one in a copy, and after a restore.
ALTER TABLE revision ADD COLUMN epoch TEXT NOT NULL DEFAULT '';

-- One row while another database is copied into this one; no server uses this one until the row is gone.
CREATE TABLE copy (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    source TEXT NOT NULL,          -- its address, as it may be shown
    epoch TEXT NOT NULL,           -- of the source when the copy was begun
    rev BIGINT NOT NULL            -- of the source when the copy was begun
);
