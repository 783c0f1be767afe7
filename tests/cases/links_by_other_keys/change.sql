-- links go on by keys that the parents have since, or had besides
ALTER TABLE recipes ADD uid uuid UNIQUE; UPDATE recipes SET uid = md5('r' || id)::uuid;
ALTER TABLE ingredients ADD uid uuid UNIQUE; UPDATE ingredients SET uid = md5('i' || id)::uuid;
CREATE TABLE recipe_lines (recipe uuid REFERENCES recipes (uid), ingredient uuid REFERENCES ingredients (uid), grams numeric(8, 2), PRIMARY KEY (recipe, ingredient));
INSERT INTO recipe_lines SELECT r.uid, i.uid, x.grams FROM recipe_ingredients x JOIN recipes r ON r.id = x.recipe_id
  JOIN ingredients i ON i.id = x.ingredient_id WHERE x.grams > 10;
DROP TABLE recipe_ingredients;
ALTER TABLE recipes ADD kind text REFERENCES kinds (code);
UPDATE recipes r SET kind = k.code FROM recipe_kinds x JOIN kinds k ON k.id = x.kind_id WHERE x.recipe_id = r.id AND r.id <= 15;
DROP TABLE recipe_kinds;
ALTER TABLE mixes ADD items jsonb;
UPDATE mixes m SET items = (SELECT jsonb_agg(jsonb_build_object('trackId', track_id) ORDER BY position) FROM mix_tracks t WHERE t.mix_id = m.id AND position < 3);
ALTER TABLE mixes RENAME TO playlists;
DROP TABLE mix_tracks;
