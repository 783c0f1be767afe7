DELETE FROM "Author" WHERE id = 5;
DELETE FROM "_AuthorToBook" WHERE "A" IN (4, 5);
DELETE FROM "Author" WHERE id = 3;
DELETE FROM articles WHERE id = 6;
DELETE FROM article_labels;
DELETE FROM taggings WHERE id > 1;
