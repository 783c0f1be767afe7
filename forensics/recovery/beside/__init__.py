"""`recover --into SCHEMA`: lost rows, laid into a schema beside the tables, to look and choose."""
