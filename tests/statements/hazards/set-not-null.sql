-- set-not-null p v
ALTER TABLE p ALTER v SET NOT NULL;
