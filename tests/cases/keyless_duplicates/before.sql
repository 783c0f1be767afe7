-- Two equal rows are two rows; there is no key to change under.
CREATE TABLE "_PostToTag" ("A" int, "B" int);
INSERT INTO "_PostToTag" VALUES (1, 11), (1, 11), (1, 11), (11, 1), (11, 1), (2, NULL), (2, NULL), (NULL, NULL);
