-- drop-type p m
DROP TYPE mood CASCADE;
