DROP TABLE hotel_images;
ALTER TABLE hotels ADD gallery_asset_ids jsonb, ADD pictures json, ADD photo_keys text[], ADD cover_asset_id text, ADD notes text;
UPDATE hotels SET gallery_asset_ids = '["a12", "a11", "a10"]' WHERE id = 'h1';
UPDATE hotels SET pictures = '{"gallery": [{"id": "a20", "alt": "Pool"}, {"id": "a21"}], "total": 2}' WHERE id = 'h2';
UPDATE hotels SET photo_keys = ARRAY['a30', 'with "quotes", and a comma', 'a32'] WHERE id = 'h3';
UPDATE hotels SET cover_asset_id = 'a40' WHERE id = 'h4';
UPDATE hotels SET gallery_asset_ids = '["a10", "a99"]' WHERE id = 'h5';
UPDATE hotels SET notes = 'Nothing of a60 is here' WHERE id = 'h6';
UPDATE hotels SET featured = 'a71' WHERE id = 'h7';
