CREATE TABLE users (id uuid PRIMARY KEY, email text NOT NULL);
CREATE TABLE roles (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE projects (id uuid PRIMARY KEY, title text NOT NULL);
CREATE TABLE grants (user_id uuid NOT NULL REFERENCES users, role_id uuid NOT NULL REFERENCES roles, project_id uuid NOT NULL REFERENCES projects,
  granted_by uuid REFERENCES users, granted_at timestamptz NOT NULL DEFAULT '2025-12-01', PRIMARY KEY (user_id, role_id, project_id));
INSERT INTO users SELECT md5('u' || i)::uuid, 'u' || i || '@mail.example' FROM generate_series(1, 3) i;
INSERT INTO roles SELECT md5('r' || i)::uuid, 'Role ' || i FROM generate_series(1, 2) i;
INSERT INTO projects SELECT md5('p' || i)::uuid, 'Project ' || i FROM generate_series(1, 2) i;
INSERT INTO grants SELECT u.id, r.id, p.id, md5('u1')::uuid FROM users u, roles r, projects p;
