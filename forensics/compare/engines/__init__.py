"""How a comparison is executed: one file an engine, all of one meaning (`rows.Engine`)."""
