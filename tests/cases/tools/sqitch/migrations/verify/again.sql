-- Verify yard:again on pg

BEGIN;

-- XXX Add verifications here.

ROLLBACK;
