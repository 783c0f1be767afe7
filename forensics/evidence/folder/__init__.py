"""A folder of CSV or Parquet files, a table each, as unloaders and cloud exports leave it."""
