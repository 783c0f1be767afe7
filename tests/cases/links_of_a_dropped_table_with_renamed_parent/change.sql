ALTER TABLE hotels RENAME TO properties;
DROP TABLE hotel_images;
DELETE FROM properties WHERE id = 'h2';
