CREATE SCHEMA prisma_contract;
CREATE TABLE prisma_contract.contract (
    core_hash text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    contract_json jsonb NOT NULL
);
CREATE TABLE prisma_contract.ledger (
    id bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    space text NOT NULL,
    migration_name text NOT NULL,
    migration_hash text NOT NULL,
    origin_core_hash text,
    origin_profile_hash text,
    destination_core_hash text NOT NULL,
    destination_profile_hash text,
    operations jsonb NOT NULL
);
CREATE SEQUENCE prisma_contract.ledger_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE prisma_contract.ledger_id_seq OWNED BY prisma_contract.ledger.id;
CREATE TABLE prisma_contract.marker (
    space text DEFAULT 'app'::text NOT NULL,
    core_hash text NOT NULL,
    profile_hash text NOT NULL,
    contract_json jsonb,
    canonical_version integer,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    app_tag text,
    meta jsonb DEFAULT '{}'::jsonb NOT NULL,
    invariants text[] DEFAULT '{}'::text[] NOT NULL
);
ALTER TABLE ONLY prisma_contract.ledger ALTER COLUMN id SET DEFAULT nextval('prisma_contract.ledger_id_seq'::regclass);
INSERT INTO prisma_contract.contract VALUES ('0e190bed3406ffb277391bbfe75ad359431167a66e8708951f02672049525875', '2026-11-29 16:21:18.545511+00', '{}');
INSERT INTO prisma_contract.contract VALUES ('9c9dd992da7612d325de5d070ba791b51e91b68be6b8eb834c50059e24f5833a', '2026-11-29 16:31:53.963203+00', '{}');
INSERT INTO prisma_contract.ledger VALUES (1, '2026-11-29 16:21:18.545511+00', 'app', '20261129T1620_boats', '49e73c0997f86f8eec74274efb92982fb2a56aff958f9d0c80ff9d0d2dd30adc', 'empty', NULL, '0e190bed3406ffb277391bbfe75ad359431167a66e8708951f02672049525875', NULL, '[{"id": "schema.public", "label": "Create schema \"public\"", "target": {"id": "postgres"}, "execute": [{"sql": "CREATE SCHEMA IF NOT EXISTS \"public\"", "params": [], "description": "Create schema \"public\""}], "precheck": [], "postcheck": [], "operationClass": "additive"}, {"id": "table.Boat", "label": "Create table \"Boat\"", "target": {"id": "postgres", "details": {"name": "Boat", "schema": "public", "objectType": "table"}}, "execute": [{"sql": "CREATE TABLE \"public\".\"Boat\" (\n  \"hull\" text,\n  \"id\" int4 NOT NULL,\n  \"name\" text NOT NULL,\n  PRIMARY KEY (\"id\")\n)", "params": [], "description": "create table \"Boat\""}], "summary": "Creates table \"Boat\"", "precheck": [{"sql": "SELECT (to_regclass($1)) IS NULL AS \"result\"", "params": ["\"public\".\"Boat\""], "description": "ensure table \"Boat\" does not exist"}], "postcheck": [{"sql": "SELECT (to_regclass($1)) IS NOT NULL AS \"result\"", "params": ["\"public\".\"Boat\""], "description": "verify table \"Boat\" exists"}], "operationClass": "additive"}]');
INSERT INTO prisma_contract.ledger VALUES (2, '2026-11-29 16:31:53.963203+00', 'app', '20261129T1631_hull', '88504f0eae73eb52df77b9d6c4884b9dea715e68c7939c3a1232e2b23e46f850', '0e190bed3406ffb277391bbfe75ad359431167a66e8708951f02672049525875', NULL, '9c9dd992da7612d325de5d070ba791b51e91b68be6b8eb834c50059e24f5833a', NULL, '[{"id": "dropColumn.Boat.hull", "label": "Drop column \"hull\" from \"Boat\"", "target": {"id": "postgres", "details": {"name": "hull", "table": "Boat", "schema": "public", "objectType": "column"}}, "execute": [{"sql": "ALTER TABLE \"public\".\"Boat\" DROP COLUMN \"hull\"", "description": "drop column \"hull\""}], "precheck": [{"sql": "SELECT EXISTS (SELECT 1 AS \"one\" FROM \"information_schema\".\"columns\" WHERE (\"table_schema\" = $1 AND \"table_name\" = $2 AND \"column_name\" = $3)) AS \"result\"", "params": ["public", "Boat", "hull"], "description": "ensure column \"hull\" exists"}], "postcheck": [{"sql": "SELECT NOT EXISTS (SELECT 1 AS \"one\" FROM \"information_schema\".\"columns\" WHERE (\"table_schema\" = $1 AND \"table_name\" = $2 AND \"column_name\" = $3)) AS \"result\"", "params": ["public", "Boat", "hull"], "description": "verify column \"hull\" does not exist"}], "operationClass": "destructive"}]');
INSERT INTO prisma_contract.marker VALUES ('app', '9c9dd992da7612d325de5d070ba791b51e91b68be6b8eb834c50059e24f5833a', '3916f444a8a17ad749191acf9e08dad97d1a327b88c2f1d45d12f240296aa8b2', NULL, NULL, '2026-11-29 16:31:53.963203+00', NULL, '{}', '{}');
ALTER TABLE ONLY prisma_contract.contract
    ADD CONSTRAINT contract_pkey PRIMARY KEY (core_hash);
ALTER TABLE ONLY prisma_contract.ledger
    ADD CONSTRAINT ledger_pkey PRIMARY KEY (id);
ALTER TABLE ONLY prisma_contract.marker
    ADD CONSTRAINT marker_pkey PRIMARY KEY (space);
