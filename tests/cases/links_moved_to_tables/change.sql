-- renamed with what it holds, but for two; one link goes to another junction table; one stood there before and is no move
CREATE TABLE hotel_photos (photo_id serial PRIMARY KEY, property_id text NOT NULL REFERENCES hotels, asset_id text NOT NULL REFERENCES media_assets, sort_order int);
INSERT INTO hotel_photos (property_id, asset_id, sort_order) SELECT hotel_id, asset_id, sort_order FROM hotel_images WHERE hotel_id NOT IN ('h1', 'h2');
INSERT INTO hotel_documents VALUES ('h2', 'a20');
DROP TABLE hotel_images;
