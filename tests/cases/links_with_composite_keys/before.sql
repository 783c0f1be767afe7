CREATE TABLE tenants (id int PRIMARY KEY, name text);
CREATE TABLE rooms (tenant_id int NOT NULL REFERENCES tenants, id int, name text, PRIMARY KEY (tenant_id, id));
CREATE TABLE amenities (tenant_id int NOT NULL REFERENCES tenants, code text, label text, PRIMARY KEY (tenant_id, code));
CREATE TABLE room_amenities (tenant_id int NOT NULL, room_id int NOT NULL, amenity_code text NOT NULL, PRIMARY KEY (tenant_id, room_id, amenity_code),
  FOREIGN KEY (tenant_id, room_id) REFERENCES rooms ON DELETE CASCADE, FOREIGN KEY (tenant_id, amenity_code) REFERENCES amenities ON DELETE CASCADE);
INSERT INTO tenants VALUES (1, 'one'), (11, 'eleven');
-- (1, 11) and (11, 1) are different rooms
INSERT INTO rooms VALUES (1, 11, 'A'), (11, 1, 'B'), (1, 1, 'C');
INSERT INTO amenities VALUES (1, 'wifi', 'Wi-Fi'), (1, 'pool', 'Pool'), (11, 'wifi', 'Wi-Fi');
INSERT INTO room_amenities VALUES (1, 11, 'wifi'), (1, 11, 'pool'), (11, 1, 'wifi'), (1, 1, 'wifi'), (1, 1, 'pool');
