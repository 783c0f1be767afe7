-- Verify yard:hull on pg

BEGIN;

-- XXX Add verifications here.

ROLLBACK;
