#!/usr/bin/env bash
# @electric-sql/pglite 0.5.14 behind @electric-sql/pglite-socket 0.2.17, and node-postgres 8.16.3.
#
# Expected: a client that connects anew has a session of its own, with the server's defaults, as at
#           any PostgreSQL; what an earlier client set or prepared ended with that client.
# Seen:     the next client has the search_path and the prepared statement of the one before, which
#           has disconnected. A table of public is then "not there", and a name is "prepared
#           already", until somebody says DISCARD ALL.
#
# Met by:   whoever dumps PGlite and asks it something afterwards: pg_dump empties the search_path
#           and prepares statements, so the next program's unqualified names lead nowhere and a
#           second pg_dump is refused. The kit qualifies its names and reads through one session.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" \
    @electric-sql/pglite@0.5.14 @electric-sql/pglite-socket@0.2.17 pg@8.16.3 >/dev/null
cat >two.mjs <<'NODE'
import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import pg from 'pg'

const db = await PGlite.create()
await db.exec('CREATE TABLE boats (id int); INSERT INTO boats VALUES (1)')
const path = `${process.cwd()}/.s.PGSQL.5432`
const server = new PGLiteSocketServer({ db, path, maxConnections: 4 })
await server.start()

async function client(...statements) {
  const one = new pg.Client({ host: process.cwd(), port: 5432, user: 'postgres', database: 'postgres' })
  await one.connect()
  const said = []
  for (const text of statements) {
    try {
      const { rows } = await one.query(text)
      said.push(rows?.length ? String(Object.values(rows[0])[0]) : 'done')
    } catch (error) {
      said.push(error.message)
    }
  }
  await one.end()
  return said
}

const count = 'SELECT count(*) FROM boats'
const first = await client(count, "SET search_path = ''", 'PREPARE one AS SELECT 1')
const second = await client('SHOW search_path', count, 'PREPARE one AS SELECT 2')
const third = await client('DISCARD ALL', count)
console.log('first client: ', first)
console.log('second client:', second)
console.log('third client: ', third)
const seen = JSON.stringify([second[1], second[2], third[1]])
const known = ['relation "boats" does not exist', 'prepared statement "one" already exists', '1']
if (seen !== JSON.stringify(known)) {
  console.error('this has changed:', seen)
  process.exit(1)
}
process.exit(0)
NODE
node two.mjs
echo "As described: the second client is in the first one's session."
