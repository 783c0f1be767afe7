-- long-lock p
CREATE INDEX ON p (v);

-- long-lock p
LOCK TABLE p;
