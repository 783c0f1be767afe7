ALTER TABLE posts DROP CONSTRAINT posts_user_id_fkey;
DELETE FROM users WHERE id > 18;
ALTER TABLE users RENAME COLUMN id TO number;
ALTER TABLE users ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid();
ALTER TABLE users DROP CONSTRAINT users_pkey;
ALTER TABLE users ADD PRIMARY KEY (id);
