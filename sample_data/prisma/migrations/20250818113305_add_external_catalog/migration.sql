-- CreateTable
CREATE TABLE "external_catalog_items" (
    "id" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "external_id" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "payload" JSONB,
    "price" DECIMAL(8,2),
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMP(3),

    CONSTRAINT "external_catalog_items_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "external_search_cache" (
    "id" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "query_hash" CHAR(32) NOT NULL,
    "query_json" JSONB,
    "results_json" JSONB,
    "hits" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "external_search_cache_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "exchange_rates" (
    "base" CHAR(3) NOT NULL,
    "quote" CHAR(3) NOT NULL,
    "day" DATE NOT NULL,
    "rate" DECIMAL(18,8) NOT NULL,

    CONSTRAINT "exchange_rates_pkey" PRIMARY KEY ("base","quote","day")
);

-- CreateIndex
CREATE UNIQUE INDEX "external_catalog_items_provider_external_id_key" ON "external_catalog_items"("provider", "external_id");

-- CreateIndex
CREATE UNIQUE INDEX "external_search_cache_query_hash_key" ON "external_search_cache"("query_hash");
