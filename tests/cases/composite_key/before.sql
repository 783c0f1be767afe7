-- Keys are tuples: (1, 11) is not (11, 1), and ("a", "bc") is not ("ab", "c").
CREATE TABLE t (a text, b text, v int, PRIMARY KEY (b, a));
INSERT INTO t VALUES ('1', '11', 1), ('11', '1', 2), ('a', 'bc', 3), ('ab', 'c', 4), ('', 'x', 5);
