CREATE TABLE galleries (hotel_id text NOT NULL REFERENCES hotels (id), asset_id text NOT NULL REFERENCES assets (id), place int,
    PRIMARY KEY (hotel_id, asset_id));

INSERT INTO galleries (hotel_id, asset_id, place)
SELECT hotel_id, asset_id, sort_order FROM hotel_images WHERE hotel_id <> 'h3';

DROP TABLE hotel_images;
