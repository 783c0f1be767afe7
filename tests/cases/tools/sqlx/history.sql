CREATE TABLE _sqlx_migrations (
  version bigint NOT NULL PRIMARY KEY,
  description text NOT NULL,
  installed_on timestamptz DEFAULT now() NOT NULL,
  success boolean NOT NULL,
  checksum bytea NOT NULL,
  execution_time bigint NOT NULL
);
INSERT INTO _sqlx_migrations VALUES (1, 'boats', '2026-01-01 00:00+00', true, '\x6bec6881657c5116496b118d55e203b1498488a9698e92f37ee808d61325e5bae26291f9753f710fe37fd51012c7a99e', 5);
INSERT INTO _sqlx_migrations VALUES (2, 'trim', '2026-01-02 00:00+00', true, '\x6985625bfc72b071a2b341a57840214e15b82c2807b4163375643ffe556bc5c1c34bed765a2f6295e79eb309ee187967', 5);
INSERT INTO _sqlx_migrations VALUES (10, 'hull', '2026-01-10 00:00+00', true, '\xb1b35b4636125c50a3a5c8d814e626e56bfdd3463efb543f34ec5747937ffcc2000d26ba2e860843ea78952fd1f044e1', 5);
