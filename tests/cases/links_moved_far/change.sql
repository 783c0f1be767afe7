-- a new table for the assets of everything
CREATE TABLE media_links (id bigserial PRIMARY KEY, asset_id text NOT NULL REFERENCES assets, owner_type text NOT NULL, owner_id text NOT NULL);
INSERT INTO media_links (asset_id, owner_type, owner_id) SELECT asset_id, 'Hotel', hotel_id FROM kinds WHERE hotel_id <> 'hot6';
INSERT INTO media_links (asset_id, owner_type, owner_id) SELECT asset_id, 'City', hotel_id FROM kinds WHERE hotel_id = 'hot6';
DROP TABLE kinds;
-- a new table whose columns' names say nothing
CREATE TABLE gallery (h text, m text, note text);
INSERT INTO gallery SELECT hotel_id, asset_id, 'ast1' FROM names;
DROP TABLE names;
-- an array whose name looks like somebody's doing
ALTER TABLE assets ADD used_by text[];
UPDATE assets a SET used_by = (SELECT array_agg(hotel_id) FROM users_of u WHERE u.asset_id = a.id);
DROP TABLE users_of;
-- one key a line
ALTER TABLE hotels ADD files text, ADD array_text text;
UPDATE hotels h SET files = (SELECT string_agg(asset_id, E'\n') FROM lines_of l WHERE l.hotel_id = h.id) WHERE id <= 'hot3';
UPDATE hotels h SET array_text = (SELECT array_agg(asset_id)::text FROM lines_of l WHERE l.hotel_id = h.id) WHERE id > 'hot3';
DROP TABLE lines_of;
-- how many, and not which
ALTER TABLE people ADD tag_count int;
UPDATE people SET tag_count = 3;
DROP TABLE people_tags;
