/*
  Warnings:

  - You are about to drop the `city_images` table. If the table is not empty, all the data it contains will be lost.
  - You are about to drop the `city_place_images` table. If the table is not empty, all the data it contains will be lost.
  - You are about to drop the `esim_images` table. If the table is not empty, all the data it contains will be lost.
  - You are about to drop the `hotel_images` table. If the table is not empty, all the data it contains will be lost.
  - You are about to drop the `medical_images` table. If the table is not empty, all the data it contains will be lost.
  - You are about to drop the `product_images` table. If the table is not empty, all the data it contains will be lost.
  - You are about to drop the `restaurant_images` table. If the table is not empty, all the data it contains will be lost.
  - You are about to drop the `tour_images` table. If the table is not empty, all the data it contains will be lost.
  - You are about to drop the `transport_images` table. If the table is not empty, all the data it contains will be lost.
  - You are about to drop the column `updated_at` on the `external_catalog_items` table. All the data in the column will be lost.
  - Made the column `query_json` on table `external_search_cache` required. This step will fail if there are existing NULL values in that column.
  - Made the column `results_json` on table `external_search_cache` required. This step will fail if there are existing NULL values in that column.

*/
-- CreateEnum
CREATE TYPE "HotelSource" AS ENUM ('INTERNAL', 'EXTERNAL');

-- DropForeignKey
ALTER TABLE "city_images" DROP CONSTRAINT "city_images_city_id_fkey";

-- DropForeignKey
ALTER TABLE "city_images" DROP CONSTRAINT "city_images_asset_id_fkey";

-- DropForeignKey
ALTER TABLE "city_place_images" DROP CONSTRAINT "city_place_images_city_place_id_fkey";

-- DropForeignKey
ALTER TABLE "city_place_images" DROP CONSTRAINT "city_place_images_asset_id_fkey";

-- DropForeignKey
ALTER TABLE "esim_images" DROP CONSTRAINT "esim_images_esim_plan_id_fkey";

-- DropForeignKey
ALTER TABLE "esim_images" DROP CONSTRAINT "esim_images_asset_id_fkey";

-- DropForeignKey
ALTER TABLE "hotel_images" DROP CONSTRAINT "hotel_images_hotel_id_fkey";

-- DropForeignKey
ALTER TABLE "hotel_images" DROP CONSTRAINT "hotel_images_asset_id_fkey";

-- DropForeignKey
ALTER TABLE "medical_images" DROP CONSTRAINT "medical_images_medical_center_id_fkey";

-- DropForeignKey
ALTER TABLE "medical_images" DROP CONSTRAINT "medical_images_asset_id_fkey";

-- DropForeignKey
ALTER TABLE "product_images" DROP CONSTRAINT "product_images_product_id_fkey";

-- DropForeignKey
ALTER TABLE "product_images" DROP CONSTRAINT "product_images_asset_id_fkey";

-- DropForeignKey
ALTER TABLE "restaurant_images" DROP CONSTRAINT "restaurant_images_restaurant_id_fkey";

-- DropForeignKey
ALTER TABLE "restaurant_images" DROP CONSTRAINT "restaurant_images_asset_id_fkey";

-- DropForeignKey
ALTER TABLE "tour_images" DROP CONSTRAINT "tour_images_tour_id_fkey";

-- DropForeignKey
ALTER TABLE "tour_images" DROP CONSTRAINT "tour_images_asset_id_fkey";

-- DropForeignKey
ALTER TABLE "transport_images" DROP CONSTRAINT "transport_images_transport_product_id_fkey";

-- DropForeignKey
ALTER TABLE "transport_images" DROP CONSTRAINT "transport_images_asset_id_fkey";

-- DropForeignKey
ALTER TABLE "hotel_bookings" DROP CONSTRAINT "hotel_bookings_hotel_id_fkey";

-- DropForeignKey
ALTER TABLE "hotel_bookings" DROP CONSTRAINT "hotel_bookings_room_id_fkey";

-- AlterTable
ALTER TABLE "cities" ADD COLUMN     "cover_asset_id" TEXT,
ADD COLUMN     "gallery_asset_ids" JSONB;

-- AlterTable
ALTER TABLE "city_places" ADD COLUMN     "cover_asset_id" TEXT,
ADD COLUMN     "gallery_asset_ids" JSONB;

-- AlterTable
ALTER TABLE "esim_plans" ADD COLUMN     "cover_asset_id" TEXT,
ADD COLUMN     "gallery_asset_ids" JSONB;

-- AlterTable
ALTER TABLE "hotels" ADD COLUMN     "cover_asset_id" TEXT,
ADD COLUMN     "gallery_asset_ids" JSONB;

-- AlterTable
ALTER TABLE "medical_centers" ADD COLUMN     "cover_asset_id" TEXT,
ADD COLUMN     "gallery_asset_ids" JSONB;

-- AlterTable
ALTER TABLE "products" ADD COLUMN     "cover_asset_id" TEXT,
ADD COLUMN     "gallery_asset_ids" JSONB;

-- AlterTable
ALTER TABLE "restaurants" ADD COLUMN     "cover_asset_id" TEXT,
ADD COLUMN     "gallery_asset_ids" JSONB;

-- AlterTable
ALTER TABLE "tours" ADD COLUMN     "cover_asset_id" TEXT,
ADD COLUMN     "gallery_asset_ids" JSONB;

-- AlterTable
ALTER TABLE "transport_products" ADD COLUMN     "cover_asset_id" TEXT,
ADD COLUMN     "gallery_asset_ids" JSONB;

-- AlterTable
ALTER TABLE "external_catalog_items" DROP COLUMN "updated_at",
ADD COLUMN     "external_hotel_id" TEXT;

-- The old client left rows without a query behind; nobody can find them again, and the next statement would fail on them.
DELETE FROM "external_search_cache" WHERE "query_json" IS NULL;

UPDATE "external_search_cache" SET "results_json" = '[]' WHERE "results_json" IS NULL;

-- AlterTable
ALTER TABLE "external_search_cache" ALTER COLUMN "query_json" SET NOT NULL,
ALTER COLUMN "results_json" SET NOT NULL;

-- AlterTable
ALTER TABLE "hotel_bookings" ADD COLUMN     "external_hotel_id" TEXT,
ADD COLUMN     "hotel_source" "HotelSource" NOT NULL DEFAULT 'INTERNAL',
ALTER COLUMN "hotel_id" DROP NOT NULL,
ALTER COLUMN "room_id" DROP NOT NULL,
ALTER COLUMN "check_in" DROP NOT NULL,
ALTER COLUMN "check_out" DROP NOT NULL;

-- DropTable
DROP TABLE "city_images";

-- DropTable
DROP TABLE "city_place_images";

-- DropTable
DROP TABLE "esim_images";

-- DropTable
DROP TABLE "hotel_images";

-- DropTable
DROP TABLE "medical_images";

-- DropTable
DROP TABLE "product_images";

-- DropTable
DROP TABLE "restaurant_images";

-- DropTable
DROP TABLE "tour_images";

-- DropTable
DROP TABLE "transport_images";

-- CreateTable
CREATE TABLE "external_hotels" (
    "id" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "external_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "city_id" TEXT,
    "photos" JSONB,
    "fetched_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "external_hotels_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "external_hotel_rates" (
    "external_hotel_id" TEXT NOT NULL,
    "room_code" TEXT NOT NULL,
    "check_in" DATE NOT NULL,
    "price" DECIMAL(10,2) NOT NULL,
    "currency" CHAR(3) NOT NULL,

    CONSTRAINT "external_hotel_rates_pkey" PRIMARY KEY ("external_hotel_id","room_code","check_in")
);

-- CreateIndex
CREATE UNIQUE INDEX "external_hotels_provider_external_id_key" ON "external_hotels"("provider", "external_id");

-- AddForeignKey
ALTER TABLE "external_hotels" ADD CONSTRAINT "external_hotels_city_id_fkey" FOREIGN KEY ("city_id") REFERENCES "cities"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "external_hotel_rates" ADD CONSTRAINT "external_hotel_rates_external_hotel_id_fkey" FOREIGN KEY ("external_hotel_id") REFERENCES "external_hotels"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "hotel_bookings" ADD CONSTRAINT "hotel_bookings_hotel_id_fkey" FOREIGN KEY ("hotel_id") REFERENCES "hotels"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "hotel_bookings" ADD CONSTRAINT "hotel_bookings_room_id_fkey" FOREIGN KEY ("room_id") REFERENCES "hotel_rooms"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "hotel_bookings" ADD CONSTRAINT "hotel_bookings_external_hotel_id_fkey" FOREIGN KEY ("external_hotel_id") REFERENCES "external_hotels"("id") ON DELETE SET NULL ON UPDATE CASCADE;
