"""Files in and out: CSV and Parquet, read a chunk at a time, and the layouts they come in."""
