-- Django: a generic relation by way of content types
CREATE TABLE django_content_type (id int PRIMARY KEY, app_label text NOT NULL, model text NOT NULL);
CREATE TABLE shop_product (id int PRIMARY KEY, name text);
CREATE TABLE shop_city (id int PRIMARY KEY, name text);
CREATE TABLE taggit_tag (id int PRIMARY KEY, name text);
CREATE TABLE taggit_taggeditem (id serial PRIMARY KEY, object_id int NOT NULL, content_type_id int NOT NULL REFERENCES django_content_type,
  tag_id int NOT NULL REFERENCES taggit_tag, UNIQUE (content_type_id, object_id, tag_id));
INSERT INTO django_content_type VALUES (1, 'auth', 'user'), (2, 'shop', 'product'), (3, 'shop', 'city');
INSERT INTO shop_product SELECT i, 'Product ' || i FROM generate_series(1, 8) i;
INSERT INTO shop_city SELECT i, 'City ' || i FROM generate_series(1, 4) i;
INSERT INTO taggit_tag SELECT i, 'Tag ' || i FROM generate_series(1, 3) i;
INSERT INTO taggit_taggeditem (object_id, content_type_id, tag_id) SELECT i, 2, 1 + i % 3 FROM generate_series(1, 8) i;
INSERT INTO taggit_taggeditem (object_id, content_type_id, tag_id) SELECT i, 3, 1 + i % 3 FROM generate_series(1, 4) i;
-- Rails: a second polymorphic reference that nobody uses
CREATE TABLE taggings (id serial PRIMARY KEY, tag_id int, taggable_type varchar, taggable_id int, tagger_type varchar, tagger_id int,
  context varchar(128), created_at timestamp);
INSERT INTO taggings (tag_id, taggable_type, taggable_id, context) SELECT 1 + i % 3, 'ShopCity', i, 'tags' FROM generate_series(1, 4) i;
-- a link that was made several times, and is cleaned up
CREATE TABLE city_product (id serial PRIMARY KEY, city_id int NOT NULL REFERENCES shop_city, product_id int NOT NULL REFERENCES shop_product,
  role text, created_at timestamp);
INSERT INTO city_product (city_id, product_id, role) VALUES (1, 1, 'a'), (1, 1, 'a'), (1, 1, 'a'), (1, 1, 'b'), (2, 2, NULL), (2, 2, NULL);
-- what only looks like a junction table
CREATE TABLE messages (id serial PRIMARY KEY, sender_id int REFERENCES shop_city, recipient_id int REFERENCES shop_city, body text);
CREATE TABLE payments (id serial PRIMARY KEY, city_id int REFERENCES shop_city, product_id int REFERENCES shop_product, amount numeric);
CREATE TABLE profiles (city_id int PRIMARY KEY REFERENCES shop_city, product_id int REFERENCES shop_product);
CREATE TABLE staff (id serial PRIMARY KEY, manager_id int REFERENCES staff, city_id int REFERENCES shop_city);
CREATE TABLE price_changes (id serial PRIMARY KEY, product_id int REFERENCES shop_product, changed_by int REFERENCES shop_city, changed_at timestamp);
