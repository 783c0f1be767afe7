CREATE SCHEMA "sqitch";
CREATE TABLE sqitch.changes (
    change_id text NOT NULL,
    script_hash text,
    change text NOT NULL,
    project text NOT NULL,
    note text DEFAULT ''::text NOT NULL,
    committed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    committer_name text NOT NULL,
    committer_email text NOT NULL,
    planned_at timestamp with time zone NOT NULL,
    planner_name text NOT NULL,
    planner_email text NOT NULL
);
COMMENT ON TABLE sqitch.changes IS 'Tracks the changes currently deployed to the database.';
COMMENT ON COLUMN sqitch.changes.change_id IS 'Change primary key.';
COMMENT ON COLUMN sqitch.changes.script_hash IS 'Deploy script SHA-1 hash.';
COMMENT ON COLUMN sqitch.changes.change IS 'Name of a deployed change.';
COMMENT ON COLUMN sqitch.changes.project IS 'Name of the Sqitch project to which the change belongs.';
COMMENT ON COLUMN sqitch.changes.note IS 'Description of the change.';
COMMENT ON COLUMN sqitch.changes.committed_at IS 'Date the change was deployed.';
COMMENT ON COLUMN sqitch.changes.committer_name IS 'Name of the user who deployed the change.';
COMMENT ON COLUMN sqitch.changes.committer_email IS 'Email address of the user who deployed the change.';
COMMENT ON COLUMN sqitch.changes.planned_at IS 'Date the change was added to the plan.';
COMMENT ON COLUMN sqitch.changes.planner_name IS 'Name of the user who planed the change.';
COMMENT ON COLUMN sqitch.changes.planner_email IS 'Email address of the user who planned the change.';
CREATE TABLE sqitch.dependencies (
    change_id text NOT NULL,
    type text NOT NULL,
    dependency text NOT NULL,
    dependency_id text,
    CONSTRAINT dependencies_check CHECK ((((type = 'require'::text) AND (dependency_id IS NOT NULL)) OR ((type = 'conflict'::text) AND (dependency_id IS NULL))))
);
COMMENT ON TABLE sqitch.dependencies IS 'Tracks the currently satisfied dependencies.';
COMMENT ON COLUMN sqitch.dependencies.change_id IS 'ID of the depending change.';
COMMENT ON COLUMN sqitch.dependencies.type IS 'Type of dependency.';
COMMENT ON COLUMN sqitch.dependencies.dependency IS 'Dependency name.';
COMMENT ON COLUMN sqitch.dependencies.dependency_id IS 'Change ID the dependency resolves to.';
CREATE TABLE sqitch.events (
    event text NOT NULL,
    change_id text NOT NULL,
    change text NOT NULL,
    project text NOT NULL,
    note text DEFAULT ''::text NOT NULL,
    requires text[] DEFAULT '{}'::text[] NOT NULL,
    conflicts text[] DEFAULT '{}'::text[] NOT NULL,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    committed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    committer_name text NOT NULL,
    committer_email text NOT NULL,
    planned_at timestamp with time zone NOT NULL,
    planner_name text NOT NULL,
    planner_email text NOT NULL,
    CONSTRAINT events_event_check CHECK ((event = ANY (ARRAY['deploy'::text, 'revert'::text, 'fail'::text, 'merge'::text])))
);
COMMENT ON TABLE sqitch.events IS 'Contains full history of all deployment events.';
COMMENT ON COLUMN sqitch.events.event IS 'Type of event.';
COMMENT ON COLUMN sqitch.events.change_id IS 'Change ID.';
COMMENT ON COLUMN sqitch.events.change IS 'Change name.';
COMMENT ON COLUMN sqitch.events.project IS 'Name of the Sqitch project to which the change belongs.';
COMMENT ON COLUMN sqitch.events.note IS 'Description of the change.';
COMMENT ON COLUMN sqitch.events.requires IS 'Array of the names of required changes.';
COMMENT ON COLUMN sqitch.events.conflicts IS 'Array of the names of conflicting changes.';
COMMENT ON COLUMN sqitch.events.tags IS 'Tags associated with the change.';
COMMENT ON COLUMN sqitch.events.committed_at IS 'Date the event was committed.';
COMMENT ON COLUMN sqitch.events.committer_name IS 'Name of the user who committed the event.';
COMMENT ON COLUMN sqitch.events.committer_email IS 'Email address of the user who committed the event.';
COMMENT ON COLUMN sqitch.events.planned_at IS 'Date the event was added to the plan.';
COMMENT ON COLUMN sqitch.events.planner_name IS 'Name of the user who planed the change.';
COMMENT ON COLUMN sqitch.events.planner_email IS 'Email address of the user who plan planned the change.';
CREATE TABLE sqitch.projects (
    project text NOT NULL,
    uri text,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    creator_name text NOT NULL,
    creator_email text NOT NULL
);
COMMENT ON TABLE sqitch.projects IS 'Sqitch projects deployed to this database.';
COMMENT ON COLUMN sqitch.projects.project IS 'Unique Name of a project.';
COMMENT ON COLUMN sqitch.projects.uri IS 'Optional project URI';
COMMENT ON COLUMN sqitch.projects.created_at IS 'Date the project was added to the database.';
COMMENT ON COLUMN sqitch.projects.creator_name IS 'Name of the user who added the project.';
COMMENT ON COLUMN sqitch.projects.creator_email IS 'Email address of the user who added the project.';
CREATE TABLE sqitch.releases (
    version real NOT NULL,
    installed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    installer_name text NOT NULL,
    installer_email text NOT NULL
);
COMMENT ON TABLE sqitch.releases IS 'Sqitch registry releases.';
COMMENT ON COLUMN sqitch.releases.version IS 'Version of the Sqitch registry.';
COMMENT ON COLUMN sqitch.releases.installed_at IS 'Date the registry release was installed.';
COMMENT ON COLUMN sqitch.releases.installer_name IS 'Name of the user who installed the registry release.';
COMMENT ON COLUMN sqitch.releases.installer_email IS 'Email address of the user who installed the registry release.';
CREATE TABLE sqitch.tags (
    tag_id text NOT NULL,
    tag text NOT NULL,
    project text NOT NULL,
    change_id text NOT NULL,
    note text DEFAULT ''::text NOT NULL,
    committed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    committer_name text NOT NULL,
    committer_email text NOT NULL,
    planned_at timestamp with time zone NOT NULL,
    planner_name text NOT NULL,
    planner_email text NOT NULL
);
COMMENT ON TABLE sqitch.tags IS 'Tracks the tags currently applied to the database.';
COMMENT ON COLUMN sqitch.tags.tag_id IS 'Tag primary key.';
COMMENT ON COLUMN sqitch.tags.tag IS 'Project-unique tag name.';
COMMENT ON COLUMN sqitch.tags.project IS 'Name of the Sqitch project to which the tag belongs.';
COMMENT ON COLUMN sqitch.tags.change_id IS 'ID of last change deployed before the tag was applied.';
COMMENT ON COLUMN sqitch.tags.note IS 'Description of the tag.';
COMMENT ON COLUMN sqitch.tags.committed_at IS 'Date the tag was applied to the database.';
COMMENT ON COLUMN sqitch.tags.committer_name IS 'Name of the user who applied the tag.';
COMMENT ON COLUMN sqitch.tags.committer_email IS 'Email address of the user who applied the tag.';
COMMENT ON COLUMN sqitch.tags.planned_at IS 'Date the tag was added to the plan.';
COMMENT ON COLUMN sqitch.tags.planner_name IS 'Name of the user who planed the tag.';
COMMENT ON COLUMN sqitch.tags.planner_email IS 'Email address of the user who planned the tag.';
INSERT INTO sqitch.changes VALUES ('639bece7a9de4811ca444b71ee63dd4e0a1dad54', 'a03cbd49bde4784c21349da409768d41849f4b27', 'boats', 'yard', 'boats', '2026-11-29 20:28:42.987943+00', 'Ann', 'ann@example.org', '2026-11-29 20:28:34+00', 'Ann', 'ann@example.org');
INSERT INTO sqitch.changes VALUES ('36838e8ade297d22bed787f7dd78c4ea7316acb6', '8903a96201fd62860dcc3c6d6a9f89d18f44e833', 'trim', 'yard', 'trim', '2026-11-29 20:29:00.181002+00', 'Ann', 'ann@example.org', '2026-11-29 20:28:48+00', 'Ann', 'ann@example.org');
INSERT INTO sqitch.changes VALUES ('68b84af911987a6d2b2b179fc5fbe8880f5eb8ab', '56ec806263954d336d22590614b8e3d017079bfb', 'again', 'yard', 'again', '2026-11-29 20:29:00.535205+00', 'Ann', 'ann@example.org', '2026-11-29 20:28:52+00', 'Ann', 'ann@example.org');
INSERT INTO sqitch.changes VALUES ('d06449f1f87e305798f9ef74407010be924cbf57', '489426f3c448c14c0cc8de3c5867695d94b93ffc', 'hull', 'yard', 'hull', '2026-11-29 20:29:00.859059+00', 'Ann', 'ann@example.org', '2026-11-29 20:28:55+00', 'Ann', 'ann@example.org');
INSERT INTO sqitch.changes VALUES ('1f75887f9fbd64e035d158d990798e83f68b76a2', '33245ab35227e455cb2b8f7473b6cd41f1ad5f78', 'marked', 'yard', 'marked', '2026-11-29 20:29:40.797731+00', 'Ann', 'ann@example.org', '2026-11-29 20:29:39+00', 'Ann', 'ann@example.org');
INSERT INTO sqitch.events VALUES ('deploy', '639bece7a9de4811ca444b71ee63dd4e0a1dad54', 'boats', 'yard', 'boats', '{}', '{}', '{}', '2026-11-29 20:28:42.998438+00', 'Ann', 'ann@example.org', '2026-11-29 20:28:34+00', 'Ann', 'ann@example.org');
INSERT INTO sqitch.events VALUES ('deploy', '36838e8ade297d22bed787f7dd78c4ea7316acb6', 'trim', 'yard', 'trim', '{}', '{}', '{}', '2026-11-29 20:29:00.206372+00', 'Ann', 'ann@example.org', '2026-11-29 20:28:48+00', 'Ann', 'ann@example.org');
INSERT INTO sqitch.events VALUES ('deploy', '68b84af911987a6d2b2b179fc5fbe8880f5eb8ab', 'again', 'yard', 'again', '{}', '{}', '{}', '2026-11-29 20:29:00.553671+00', 'Ann', 'ann@example.org', '2026-11-29 20:28:52+00', 'Ann', 'ann@example.org');
INSERT INTO sqitch.events VALUES ('deploy', 'd06449f1f87e305798f9ef74407010be924cbf57', 'hull', 'yard', 'hull', '{}', '{}', '{}', '2026-11-29 20:29:00.861903+00', 'Ann', 'ann@example.org', '2026-11-29 20:28:55+00', 'Ann', 'ann@example.org');
INSERT INTO sqitch.events VALUES ('deploy', '9e08f9715d3e23bbc4b10f84ba9bbfd944202c65', 'late', 'yard', 'late', '{}', '{}', '{}', '2026-11-29 20:29:23.495836+00', 'Ann', 'ann@example.org', '2026-11-29 20:29:20+00', 'Ann', 'ann@example.org');
INSERT INTO sqitch.events VALUES ('revert', '9e08f9715d3e23bbc4b10f84ba9bbfd944202c65', 'late', 'yard', 'late', '{}', '{}', '{}', '2026-11-29 20:29:27.894397+00', 'Ann', 'ann@example.org', '2026-11-29 20:29:20+00', 'Ann', 'ann@example.org');
INSERT INTO sqitch.events VALUES ('deploy', '1f75887f9fbd64e035d158d990798e83f68b76a2', 'marked', 'yard', 'marked', '{}', '{}', '{}', '2026-11-29 20:29:40.810415+00', 'Ann', 'ann@example.org', '2026-11-29 20:29:39+00', 'Ann', 'ann@example.org');
INSERT INTO sqitch.events VALUES ('fail', '2bf12f3bf930f10845724f32a88b353a8c56fa03', 'broken', 'yard', 'broken', '{}', '{}', '{}', '2026-11-29 20:29:55.608304+00', 'Ann', 'ann@example.org', '2026-11-29 20:29:51+00', 'Ann', 'ann@example.org');
INSERT INTO sqitch.projects VALUES ('yard', NULL, '2026-11-29 20:28:42.499525+00', 'Ann', 'ann@example.org');
INSERT INTO sqitch.releases VALUES (1.1, '2026-11-29 20:28:42.481823+00', 'Ann', 'ann@example.org');
ALTER TABLE ONLY sqitch.changes
    ADD CONSTRAINT changes_pkey PRIMARY KEY (change_id);
ALTER TABLE ONLY sqitch.changes
    ADD CONSTRAINT changes_project_script_hash_key UNIQUE (project, script_hash);
ALTER TABLE ONLY sqitch.dependencies
    ADD CONSTRAINT dependencies_pkey PRIMARY KEY (change_id, dependency);
ALTER TABLE ONLY sqitch.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (change_id, committed_at);
ALTER TABLE ONLY sqitch.projects
    ADD CONSTRAINT projects_pkey PRIMARY KEY (project);
ALTER TABLE ONLY sqitch.projects
    ADD CONSTRAINT projects_uri_key UNIQUE (uri);
ALTER TABLE ONLY sqitch.releases
    ADD CONSTRAINT releases_pkey PRIMARY KEY (version);
ALTER TABLE ONLY sqitch.tags
    ADD CONSTRAINT tags_pkey PRIMARY KEY (tag_id);
ALTER TABLE ONLY sqitch.tags
    ADD CONSTRAINT tags_project_tag_key UNIQUE (project, tag);
ALTER TABLE ONLY sqitch.changes
    ADD CONSTRAINT changes_project_fkey FOREIGN KEY (project) REFERENCES sqitch.projects(project) ON UPDATE CASCADE;
ALTER TABLE ONLY sqitch.dependencies
    ADD CONSTRAINT dependencies_change_id_fkey FOREIGN KEY (change_id) REFERENCES sqitch.changes(change_id) ON UPDATE CASCADE ON DELETE CASCADE;
ALTER TABLE ONLY sqitch.dependencies
    ADD CONSTRAINT dependencies_dependency_id_fkey FOREIGN KEY (dependency_id) REFERENCES sqitch.changes(change_id) ON UPDATE CASCADE;
ALTER TABLE ONLY sqitch.events
    ADD CONSTRAINT events_project_fkey FOREIGN KEY (project) REFERENCES sqitch.projects(project) ON UPDATE CASCADE;
ALTER TABLE ONLY sqitch.tags
    ADD CONSTRAINT tags_change_id_fkey FOREIGN KEY (change_id) REFERENCES sqitch.changes(change_id) ON UPDATE CASCADE;
ALTER TABLE ONLY sqitch.tags
    ADD CONSTRAINT tags_project_fkey FOREIGN KEY (project) REFERENCES sqitch.projects(project) ON UPDATE CASCADE;
