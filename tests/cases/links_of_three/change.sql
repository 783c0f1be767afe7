ALTER TABLE users ADD access jsonb, ADD role_ids uuid[];
-- user 1: role 1 goes with project 1, role 2 with project 2; not the other way round. user 2: roles alone are no link of three
UPDATE users SET access = jsonb_build_array(jsonb_build_object('role', md5('r1')::uuid, 'project', md5('p1')::uuid),
  jsonb_build_object('role', md5('r2')::uuid, 'project', md5('p2')::uuid)) WHERE email = 'u1@mail.example';
UPDATE users SET role_ids = ARRAY[md5('r1')::uuid] WHERE email = 'u2@mail.example';
DROP TABLE grants;
DELETE FROM users WHERE email = 'u3@mail.example';
