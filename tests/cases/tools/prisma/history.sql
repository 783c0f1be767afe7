CREATE TABLE public._prisma_migrations (
    id character varying(36) NOT NULL,
    checksum character varying(64) NOT NULL,
    finished_at timestamp with time zone,
    migration_name character varying(255) NOT NULL,
    logs text,
    rolled_back_at timestamp with time zone,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    applied_steps_count integer DEFAULT 0 NOT NULL
);
INSERT INTO public._prisma_migrations VALUES ('d565e648-7626-4f6f-b8c1-504f25538cb7', 'ca88603d4164e92e6b3dfd529962498b486f9184bdcded37e37f48ab8cf0d8a5', '2026-11-29 17:37:15.798+00', '20260101000000_boats', NULL, NULL, '2026-11-29 17:37:15.576+00', 1);
INSERT INTO public._prisma_migrations VALUES ('dda4a65a-0535-4e88-b936-c5bc5651bd9a', '9db8b4211f2d0ed10715ce8817a287632141f20730ef4df8dce86c2fd46e477e', '2026-11-29 17:37:21.535+00', '20260102000000_trim', NULL, NULL, '2026-11-29 17:37:21.426+00', 1);
INSERT INTO public._prisma_migrations VALUES ('96540ef6-940e-4f25-acc4-bca1a112cac0', '9db8b4211f2d0ed10715ce8817a287632141f20730ef4df8dce86c2fd46e477e', '2026-11-29 17:37:21.655+00', '20260103000000_again', NULL, NULL, '2026-11-29 17:37:21.555+00', 1);
INSERT INTO public._prisma_migrations VALUES ('18fce55d-0dbe-4800-993a-4dbee53013b6', '87f8ccaea63d6779c44fe16e9c255f71d48eeb752e37be966d8f91afbd952b68', '2026-11-29 17:37:21.797+00', '20260110000000_hull', NULL, NULL, '2026-11-29 17:37:21.696+00', 1);
ALTER TABLE ONLY public._prisma_migrations
    ADD CONSTRAINT _prisma_migrations_pkey PRIMARY KEY (id);
