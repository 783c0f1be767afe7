-- Verify yard:boats on pg

BEGIN;

-- XXX Add verifications here.

ROLLBACK;
