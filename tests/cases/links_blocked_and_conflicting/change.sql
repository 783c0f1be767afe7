DELETE FROM hotels WHERE id = 'h1';
DELETE FROM media_assets WHERE id = 'a20';
DELETE FROM hotel_images WHERE hotel_id = 'h3';
INSERT INTO hotel_images VALUES ('new1', 'h3', 'a89', 0, true, '2026-01-03');
DELETE FROM hotel_images WHERE id IN ('l40', 'l51');
UPDATE hotel_images SET sort_order = 0 WHERE id = 'l41';
DELETE FROM hotel_videos;
ALTER TABLE hotel_videos ALTER caption SET NOT NULL;
CREATE UNIQUE INDEX one_caption ON hotel_videos (hotel_id, caption);
