CREATE TABLE flyway_schema_history (
  installed_rank integer NOT NULL PRIMARY KEY,
  version character varying(50),
  description character varying(200) NOT NULL,
  type character varying(20) NOT NULL,
  script character varying(1000) NOT NULL,
  checksum integer,
  installed_by character varying(100) NOT NULL,
  installed_on timestamp DEFAULT now() NOT NULL,
  execution_time integer NOT NULL,
  success boolean NOT NULL
);
INSERT INTO flyway_schema_history VALUES (1, '1', 'boats', 'SQL', 'V1__boats.sql', 1418258328, 'ann', '2026-01-01', 5, true);
INSERT INTO flyway_schema_history VALUES (2, '2', 'trim', 'SQL', 'V2__trim.sql', 1031258337, 'ann', '2026-01-02', 5, true);
INSERT INTO flyway_schema_history VALUES (3, '10', 'hull', 'SQL', 'V10__hull.sql', -1050047076, 'ann', '2026-01-10', 5, true);
