CREATE TABLE "__EFMigrationsHistory" (
  "MigrationId" character varying(150) NOT NULL PRIMARY KEY,
  "ProductVersion" character varying(32) NOT NULL
);
INSERT INTO "__EFMigrationsHistory" VALUES ('20260101000000_Boats', '10.0.0');
INSERT INTO "__EFMigrationsHistory" VALUES ('20260102000000_Trim', '10.0.0');
