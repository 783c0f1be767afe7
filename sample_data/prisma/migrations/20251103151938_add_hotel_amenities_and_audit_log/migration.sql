-- AlterTable
ALTER TABLE "hotels" ADD COLUMN     "amenity_codes" INTEGER[] DEFAULT ARRAY[]::INTEGER[];

-- Before this column, breakfast was a matter of the hotel's class.
UPDATE "hotels" SET "amenity_codes" = ARRAY[10] WHERE "stars" >= 4;

-- CreateTable
CREATE TABLE "audit_logs" (
    "id" BIGSERIAL NOT NULL,
    "actor_id" TEXT,
    "action" TEXT NOT NULL,
    "entity" TEXT NOT NULL,
    "entity_id" TEXT NOT NULL,
    "diff" JSONB,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "audit_logs_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "audit_logs_entity_entity_id_idx" ON "audit_logs"("entity", "entity_id");
