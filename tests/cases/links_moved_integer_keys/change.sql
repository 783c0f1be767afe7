DROP TABLE post_tags;
-- numbers that equal keys of tags by chance, and mean something else
UPDATE posts SET stars = 1 + id % 5;
ALTER TABLE posts ADD views int NOT NULL DEFAULT 3, ADD layout jsonb NOT NULL DEFAULT '{"width": 2, "boxes": [{"x": 1}, {"x": 4}]}', ADD tag_ids int[], ADD meta jsonb;
UPDATE posts SET tag_ids = '{1,2,3,4}' WHERE id = 1;
UPDATE posts SET meta = '{"tags": [{"id": 3, "weight": 2}], "size": 1}' WHERE id = 2;
