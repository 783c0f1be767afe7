DELETE FROM "Odd.Schema"."Mixed ""Case""" WHERE "number" > 10;
ALTER TABLE "Odd.Schema"."Mixed ""Case""" DROP COLUMN "number";
DROP TABLE "Odd.Schema".parted_us;
DELETE FROM "Odd.Schema".parted WHERE id <= 10;
DELETE FROM base WHERE id IN (9, 10, 11);
DELETE FROM "taken by" WHERE pair > 4;
