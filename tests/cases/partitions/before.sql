-- A partitioned table is one table, whatever its partitions are; leaves may order their columns differently.
CREATE TABLE m (id int, region text, v text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE m_eu PARTITION OF m FOR VALUES IN ('eu');
CREATE TABLE m_us (v text, region text NOT NULL, id int NOT NULL);
ALTER TABLE m ATTACH PARTITION m_us FOR VALUES IN ('us');
CREATE TABLE m_rest PARTITION OF m DEFAULT PARTITION BY RANGE (id);
CREATE TABLE m_rest_low PARTITION OF m_rest FOR VALUES FROM (0) TO (150);
CREATE TABLE m_rest_high PARTITION OF m_rest FOR VALUES FROM (150) TO (1000);
INSERT INTO m SELECT i, (array['eu', 'us', 'asia'])[1 + i % 3], 'v' || i FROM generate_series(1, 300) i;
