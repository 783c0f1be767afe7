UPDATE far SET n = n + 1 WHERE id = 9007199254740993; DELETE FROM far WHERE id = 9007199254740994; UPDATE far SET big = big + 0.000000001 WHERE id = 9007199254741000;
UPDATE floats SET f8 = '-0' WHERE id = 1; UPDATE floats SET f8 = 0 WHERE id = 2; UPDATE floats SET f8 = 'Infinity' WHERE id = 3;
UPDATE floats SET f8 = 0.1::float8 + 1e-17 WHERE id = 4; UPDATE floats SET f4 = 1.0000001 WHERE id = 6; UPDATE amounts SET m = m + '0.01'::money WHERE id = 7;
