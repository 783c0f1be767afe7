// PGlite behind a socket: the folder of its packages, and the socket's path.
import { createRequire } from 'module'
import { pathToFileURL } from 'url'

const packages = createRequire(pathToFileURL(process.argv[2] + '/'))
const { PGlite } = packages('@electric-sql/pglite')
const { PGLiteSocketServer } = packages('@electric-sql/pglite-socket')
const extensions = {}
for (const name of ['citext', 'hstore', 'ltree', 'cube'])
  extensions[name] = packages(`@electric-sql/pglite/contrib/${name}`)[name]
const db = await PGlite.create({ extensions })
const server = new PGLiteSocketServer({ db, path: process.argv[3], maxConnections: 20 })
await server.start()
console.log('ready')
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
