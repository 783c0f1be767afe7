CREATE SCHEMA "supabase_migrations";
CREATE TABLE supabase_migrations.schema_migrations (
    version text NOT NULL,
    statements text[],
    name text
);
INSERT INTO supabase_migrations.schema_migrations VALUES ('20260101000000', '{"CREATE TABLE boats (id int PRIMARY KEY, name text NOT NULL, hull text)","INSERT INTO boats (id, name, hull) VALUES (1,''a'',''w''), (2,''b'',''w''), (3,''c'',''s''), (4,''d'',''s''), (5,''e'',''w''), (6,''f'',''w'')"}', 'boats');
INSERT INTO supabase_migrations.schema_migrations VALUES ('20260102000000', '{"DELETE FROM boats WHERE id = (SELECT max(id) FROM boats)"}', 'trim');
INSERT INTO supabase_migrations.schema_migrations VALUES ('20260103000000', '{"DELETE FROM boats WHERE id = (SELECT max(id) FROM boats)"}', 'again');
INSERT INTO supabase_migrations.schema_migrations VALUES ('20260110000000', '{"ALTER TABLE boats DROP COLUMN hull"}', 'hull');
ALTER TABLE ONLY supabase_migrations.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);
