"""Few bytes: rows that both sides hold are told by fingerprints, and only what differs is fetched.

The backup's rows are put in the order of their key, and cut into ranges (`spool`). The server is
asked for a SHA-256 of each range's rows, as COPY writes them (`texts`, `questions`). Ranges that
differ are split, level by level (`descent`). What is left of both sides goes to the ordinary
comparison (`lessening`), and rows of equal ranges are unchanged: each takes one row of either side,
so what is left differs exactly as the whole sides do. Whether our order of keys is the server's
only decides how much is left.

`choice` says which tables are compared so, and `rate` how fast rows come.
"""
