ALTER TABLE hotels RENAME TO properties;
ALTER TABLE properties ADD cover_asset_id text;
DELETE FROM hotel_images WHERE sort_order = 1;
DELETE FROM properties WHERE id = 'h2';
UPDATE properties SET cover_asset_id = 'a31' WHERE id = 'h3';
