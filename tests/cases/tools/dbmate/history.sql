-- After `dbmate up` of one migration of two.
CREATE TABLE schema_migrations (version character varying(128) PRIMARY KEY);
INSERT INTO schema_migrations VALUES ('20260102103755');
