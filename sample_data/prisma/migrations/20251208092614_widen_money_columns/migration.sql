-- AlterEnum
ALTER TYPE "AssetKind" ADD VALUE 'PANORAMA';

-- AlterTable
ALTER TABLE "hotel_bookings" ALTER COLUMN "total" SET DATA TYPE DECIMAL(12,2);

-- AlterTable
ALTER TABLE "payments" ALTER COLUMN "amount" SET DATA TYPE DECIMAL(12,2);

-- AlterTable
ALTER TABLE "tour_bookings" ALTER COLUMN "total" SET DATA TYPE DECIMAL(12,2);

-- AlterTable
ALTER TABLE "orders" ALTER COLUMN "total" SET DATA TYPE DECIMAL(12,2);

-- CreateIndex
CREATE INDEX "hotel_bookings_user_id_created_at_idx" ON "hotel_bookings"("user_id", "created_at");
