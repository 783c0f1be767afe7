DROP TABLE boats;
