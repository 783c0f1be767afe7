CREATE TABLE public._sqlx_migrations (
    version bigint NOT NULL,
    description text NOT NULL,
    installed_on timestamp with time zone DEFAULT now() NOT NULL,
    success boolean NOT NULL,
    checksum bytea NOT NULL,
    execution_time bigint NOT NULL
);
INSERT INTO public._sqlx_migrations VALUES (20260101000000, 'boats', '2026-11-29 20:25:49.017703+00', true, '\x815eae1b26a7218de3df2af1b58de5e53ec736ede3d9ef68346ebd15edc423e01bd3c111ae34bd47f07faee60fb291cd', 12153552);
INSERT INTO public._sqlx_migrations VALUES (20260102000000, 'trim', '2026-11-29 20:25:49.555195+00', true, '\xddb0d9025e3dcccf09b5b78888ce803db18f95a8c6a9f82e08bb856a576ebfee699b21520a1fcc37a52ccae2d90009f5', 8428239);
INSERT INTO public._sqlx_migrations VALUES (20260103000000, 'again', '2026-11-29 20:25:49.562371+00', true, '\xddb0d9025e3dcccf09b5b78888ce803db18f95a8c6a9f82e08bb856a576ebfee699b21520a1fcc37a52ccae2d90009f5', 695623);
INSERT INTO public._sqlx_migrations VALUES (20260110000000, 'hull', '2026-11-29 20:25:49.563247+00', true, '\xb1b35b4636125c50a3a5c8d814e626e56bfdd3463efb543f34ec5747937ffcc2000d26ba2e860843ea78952fd1f044e1', 1329154);
ALTER TABLE ONLY public._sqlx_migrations
    ADD CONSTRAINT _sqlx_migrations_pkey PRIMARY KEY (version);
