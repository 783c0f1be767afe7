DELETE FROM taggit_taggeditem WHERE object_id <= 2 AND content_type_id = 2;
INSERT INTO taggit_taggeditem (object_id, content_type_id, tag_id) VALUES (5, 2, 2), (2, 2, 3);
DELETE FROM shop_product WHERE id = 8;
DELETE FROM taggit_taggeditem WHERE object_id = 8;
DELETE FROM taggings;
DELETE FROM city_product WHERE id IN (2, 3, 4, 6);
ALTER TABLE city_product ADD UNIQUE (city_id, product_id);
