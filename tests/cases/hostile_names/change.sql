DELETE FROM "Odd.Schema"."Mixed ""Case""" WHERE "Id" = 4; UPDATE "Odd.Schema"."Mixed ""Case""" SET "id" = 'I' WHERE "Id" = 5; DELETE FROM "<script>alert(1)</script>" WHERE id = 1;
DELETE FROM "x; DROP TABLE y; --" WHERE id < 3; DELETE FROM other.same WHERE id = 9; DELETE FROM "ﬀ 🙂 ünï" WHERE "日本" = 'ffi'; UPDATE "pct %s {0} :name" SET "%s" = '%' WHERE id = 2;

DELETE FROM "new
line" WHERE id > 7; INSERT INTO "new line" VALUES (1);
