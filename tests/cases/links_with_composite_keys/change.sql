ALTER TABLE rooms ADD amenity_codes text[];
UPDATE rooms SET amenity_codes = '{wifi}' WHERE (tenant_id, id) = (1, 1);
DROP TABLE room_amenities;
DELETE FROM rooms WHERE (tenant_id, id) = (11, 1);
