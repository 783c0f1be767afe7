-- detach-partition p
ALTER TABLE p DETACH PARTITION c;
